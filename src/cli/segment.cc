#include "cli/command.h"
#include "cli/engine_library.h"
#include "cli/model_options.h"
#include "cli/option_checks.h"
#include "cli/program_files.h"

namespace tagclip {
namespace {

void add_options(CLI::App& app, SegmentOptions& options) {
  app.add_option("INPUT", options.inputs,
                 "Photos, folders, patterns; - reads a list from standard input")
      ->required()
      ->check(not_empty());
  add_word_options(app, options);
  app.add_option("-o,--output", options.output, "Where the results go")
      ->type_name("FOLDER")
      ->check(not_empty())
      ->capture_default_str();
  add_model_options(app, options);
  add_precision_option(app, options, "auto");
  add_windowing_options(app, options);
  app.add_option("--threshold", options.threshold, "Pixels with a lower score stay unlabelled")
      ->type_name("SCORE")
      ->check(number(0, 1))
      ->capture_default_str();
  CLI::Option* encoding =
      app.add_option("--encoding", options.encoding,
                     "Take the photos' encodings from this folder instead of computing them: other "
                     "words then cost the decoder only")
          ->type_name("FOLDER")
          ->check(not_empty());
  app.add_option("--save-encoding", options.save_encoding, "Keep the photos' encodings there")
      ->type_name("FOLDER")
      ->check(not_empty())
      ->excludes(encoding);
  app.add_option("--max-pixels", options.max_pixels, "Larger photos are refused")
      ->check(whole_number(1, int64_t{1} << 40))
      ->capture_default_str();
  app.add_option("--threads", options.threads, "Processor threads; 0 = all")
      ->check(whole_number(0, 1024));
  app.add_flag("--overwrite", options.overwrite, "Replace results that exist already");
  app.add_flag("--json", options.json, "One JSON object a photo on standard output");
}

}  // namespace

Command segment_command() {
  return {"segment", "Name every pixel of photos with your own words", [](CLI::App& app) -> Action {
            auto options = std::make_shared<SegmentOptions>();
            add_options(app, *options);
            app.footer(
                "A photo's results are NAME_overlay.png to look at, NAME_labels.png with the\n"
                "class of every pixel, and NAME_classes.json, which says what the numbers mean.\n"
                "Example: tagclip segment photo.jpg --classes \"cat, sofa, floor\"");
            return [options](Console& console) {
              if (options->weights.empty()) options->weights = default_weights();
              return run_engine("tagclip_segment", *options, console);
            };
          }};
}

}  // namespace tagclip
