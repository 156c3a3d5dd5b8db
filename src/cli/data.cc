#include "base/error.h"
#include "cli/command.h"
#include "cli/dataset_options.h"
#include "cli/option_checks.h"
#include "commands/commands.h"
#include "data_check/data_check.h"

namespace tagclip {
namespace {

struct DataOptions {
  std::string action;
  DatasetOptions data;
  std::vector<std::string> splits;
  bool json = false;
};

int check(const DataOptions& options, Console& console) {
  const auto found = check_data(options.data, options.splits, [&](size_t done, size_t total) {
    console.progress("checking", static_cast<int64_t>(done), static_cast<int64_t>(total));
    return !console.stop_requested();
  });
  if (!found) {
    console.note("stopped; nothing was checked to its end");
    return kStopped;
  }
  console.print(options.json ? to_json(*found) : format_report(*found));
  return found->usable() ? 0 : static_cast<int>(ErrorKind::kBadInput);
}

}  // namespace

Command data_command() {
  return {"data", "Look for mistakes in a data set", [](CLI::App& app) -> Action {
            auto options = std::make_shared<DataOptions>();
            app.add_option("ACTION", options->action, "What to do")
                ->check(one_of({"check"}))
                ->required();
            app.add_option("FOLDER", options->data.folder, "Data set")
                ->type_name("")
                ->check(not_empty())
                ->required();
            app.add_option("--splits", options->splits,
                           "Splits to check, the one trained on first; without it train and val")
                ->type_name("NAMES")
                ->delimiter(',')
                ->expected(1)
                ->allow_extra_args(false);
            add_dataset_options(app, options->data);
            app.add_flag("--json", options->json, "Print a JSON object instead of the text");
            app.footer(
                "Reads every photo and label file. Exits with 3 when training on the set would go\n"
                "wrong, with 0 when there are warnings at most.\n"
                "Example: tagclip data check msrc21");
            return [options](Console& console) { return check(*options, console); };
          }};
}

}  // namespace tagclip
