#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/program_files.h"
#include "cli/setting_options.h"
#include "cli/shared_library.h"
#include "commands/commands.h"
#include "outputs/output_options.h"

namespace tagclip {
namespace {

void add_options(OptionList& list, SegmentOptions& options) {
  list.add_option("INPUT", options.inputs,
                  "Photos, folders, patterns; - reads a list from standard input")
      ->required()
      ->check(not_empty());
  list.add_option("-o,--output", options.output, "Where the results go")
      ->type_name("FOLDER")
      ->check(not_empty())
      ->show_default();
  add_fields(list, fields(options.outputs));
  add_weights_option(list, options.weights);
  add_fields(list, fields(options.vocabulary));
  add_fields(list, fields(options.inference));
  Option* encoding =
      list.add_option(
              "--encoding", options.encoding,
              "Take the photos' encodings from this folder instead of computing them: other "
              "words then cost the decoder only")
          ->type_name("FOLDER")
          ->check(not_empty());
  list.add_option("--save-encoding", options.save_encoding, "Keep the photos' encodings there")
      ->type_name("FOLDER")
      ->check(not_empty())
      ->excludes(encoding);
  list.add_option(
          "--shard", Target([&options](const std::string& text) {
            const size_t slash = std::min(text.find('/'), text.size());
            const auto shard = parse_number<int64_t>(text.substr(0, slash));
            const auto shards =
                parse_number<int64_t>(text.substr(std::min(slash + 1, text.size())));
            if (!shard || !shards || *shard < 1 || *shard > *shards) {
              throw usage_error("--shard: expected I/N with I from 1 to N, found '" + text + "'");
            }
            options.shard = *shard, options.shards = *shards;
          }),
          "Take one of N equal parts of the photos: 1/4, ..., 4/4 on four machines that "
          "write to one folder")
      ->type_name("I/N");
  list.add_flag("--watch", options.watch,
                "Go on with photos that come into the folders, until it is stopped");
  list.add_option("--threads", options.threads, "Processor threads; 0 = all")
      ->check(whole_number(0, 1024));
  list.add_flag("--overwrite", options.overwrite, "Replace results that exist already");
  list.add_flag("--json", options.json, "One JSON object per photo on standard output");
}

}  // namespace

Command segment_command() {
  return {
      "segment", "Name every pixel of photos with your own words", [](OptionList& list) -> Action {
        auto options = std::make_shared<SegmentOptions>();
        add_options(list, *options);
        list.footer(
            "A photo's results are NAME_overlay.png to look at, NAME_labels.png with the\n"
            "class of every pixel, and NAME_classes.json, which says what the numbers mean and\n"
            "is always written; --output-format says what else (docs/outputs.md).\n"
            "Folders give what is a JPEG, PNG or WebP inside, whatever its name; a list holds a\n"
            "name a line, or names that end in NUL (find -print0). The same command goes on\n"
            "where it was stopped: it leaves out photos that have results of the same photo,\n"
            "words, weights and settings, and never replaces others without --overwrite.\n"
            "-c - reads the words from standard input, as from a file.\n"
            "Example: tagclip segment photo.jpg --classes \"cat, sofa, floor\"");
        return [options](Console& console) {
          options->weights = chosen_weights(options->weights, console);
          read_words_from_stdin(options->vocabulary, std::ranges::count(options->inputs, "-") > 0);
          return run_in_library(*options, console);
        };
      }};
}

}  // namespace tagclip
