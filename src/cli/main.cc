// tagclip COMMAND [OPTIONS]: the table of commands.

#include "cli/program.h"

int main(int argc, char** argv) {
  using namespace tagclip;
  return run_program(
      {.name = "tagclip",
       .summary =
           "Open-vocabulary semantic segmentation: a photo and your own words in, masks out.",
       .commands = {segment_command(), video_command(), embed_command(), data_command(),
                    train_command(), eval_command(), experiment_command(), report_command(),
                    pretrain_command(), verify_command(), serve_command(), info_command(),
                    convert_command(), export_command(), fetch_command(), tokenize_command(),
                    doctor_command()},
       .hints = {{"bench", "benchmarks are a program of their own, tagclip_bench: make bench"}}},
      argc, argv);
}
