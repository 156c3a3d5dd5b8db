#include "fetch/fetch.h"

#include "cli/command.h"
#include "cli/shared_library.h"

namespace tagclip {
namespace {

void add_options(OptionList& list, FetchOptions& options) {
  list.add_option("NAME", options.names, "Checkpoints; --list tells which there are")
      ->check(not_empty());
  list.add_flag("--list", options.list, "List the checkpoints, and which are there already");
  list.add_option("--to", options.to,
                  "Where they go; without it TAGCLIP_HOME, else the user's cache folder")
      ->type_name("FOLDER")
      ->check(not_empty());
  Option* mirror =
      list.add_option(
              "--mirror", options.mirror,
              "Base address instead of the publishers' (or TAGCLIP_MIRROR); a copy of a cache "
              "folder on any web server will do")
          ->type_name("URL")
          ->check(not_empty());
  list.add_option("--from", options.from,
                  "Do not download: check and copy a file (a folder, for a checkpoint of several "
                  "files) that you have")
      ->type_name("FILE")
      ->check(not_empty())
      ->excludes(mirror);
  list.add_option("--tries", options.tries, "How often each file is tried")
      ->check(whole_number(1, 100))
      ->show_default();
  list.add_option("--timeout", options.timeout, "A try ends when next to nothing came for so long")
      ->type_name("SECONDS")
      ->check(whole_number(1, 3600))
      ->show_default();
  list.add_flag("--json", options.json, "One JSON object a checkpoint on standard output");
}

}  // namespace

Command fetch_command() {
  return {"fetch", "Download known checkpoints by name", [](OptionList& list) -> Action {
            auto options = std::make_shared<FetchOptions>();
            add_options(list, *options);
            list.footer(
                "Prints the path of the checkpoint. A download that broke off goes on where it\n"
                "stopped, and what is there already is checked only. TAGCLIP_CHECKPOINTS names a\n"
                "table of your own instead of the built-in one (src/fetch/checkpoints.toml shows\n"
                "its format).\n"
                "Example: W=$(tagclip fetch ViT-B-16)");
            return [options](Console& console) { return run_in_library(*options, console); };
          }};
}

}  // namespace tagclip
