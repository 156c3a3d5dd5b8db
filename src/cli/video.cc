#include "cli/command.h"
#include "cli/program_files.h"
#include "cli/setting_options.h"
#include "cli/shared_library.h"
#include "commands/commands.h"

namespace tagclip {
namespace {

void add_options(OptionList& list, VideoOptions& options) {
  list.add_option("INPUT", options.input, "A video file, or a camera (/dev/video0)")
      ->required()
      ->check(not_empty());
  list.add_option(
          "-o,--output", options.output,
          "The frames under their classes' colours, with the sound; NAME_overlay.mp4 beside "
          "the input without it")
      ->type_name("FILE")
      ->check(not_empty());
  list.add_option("--labels", options.labels,
                  "The class of every pixel too, as a lossless grey video (FFV1 in .mkv): a byte "
                  "is the place of the class among the words, from 0, and 255 unlabelled")
      ->type_name("FILE")
      ->check(not_empty());
  add_weights_option(list, options.weights);
  add_fields(list, fields(options.vocabulary));
  add_fields(list, fields(options.inference));
  list.add_option("--unchanged", options.unchanged,
                  "Windows in which no patch changed by more than so many grey levels, in the "
                  "mean of its pixels, keep their encoding; -1 = all are encoded anew")
      ->check(number(-1, 255))
      ->show_default();
  list.add_option("--smoothing", options.smoothing,
                  "The share of the frames before in what is seen of a frame: labels flicker less "
                  "and follow later")
      ->check(number(0, 0.99))
      ->show_default();
  list.add_option("--every", options.every, "Take one of so many frames")
      ->check(whole_number(1, 100000))
      ->show_default();
  list.add_option("--frames", options.frames, "Stop after so many frames; 0 = all")
      ->check(whole_number(0, 1 << 30));
  list.add_option("--ffmpeg", options.ffmpeg, "The program ffmpeg")
      ->type_name("FILE")
      ->check(not_empty())
      ->show_default();
  list.add_option("--threads", options.threads, "Processor threads; 0 = all")
      ->check(whole_number(0, 1024));
  list.add_flag("--overwrite", options.overwrite, "Replace files that exist already");
  list.add_flag("--json", options.json, "One JSON object per frame on standard output");
}

}  // namespace

Command video_command() {
  return {
      "video", "Name every pixel of a video with your own words", [](OptionList& list) -> Action {
        auto options = std::make_shared<VideoOptions>();
        add_options(list, *options);
        list.footer(
            "Needs the program ffmpeg. Ctrl-C ends the recording of a camera; of a file nothing\n"
            "is then written.\n"
            "Example: tagclip video street.mp4 --classes \"car, road, tree, sky\" --smoothing 0.5");
        return [options](Console& console) {
          options->weights = chosen_weights(options->weights, console);
          read_words_from_stdin(options->vocabulary, /*taken=*/false);
          return run_in_library(*options, console);
        };
      }};
}

}  // namespace tagclip
