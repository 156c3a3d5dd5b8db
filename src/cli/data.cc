#include "base/error.h"
#include "cli/command.h"
#include "cli/dataset_options.h"
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
  return {"data", "Look for mistakes in a data set", [](OptionList& list) -> Action {
            auto options = std::make_shared<DataOptions>();
            list.add_option("ACTION", options->action, "What to do")
                ->check(one_of({"check"}))
                ->required();
            list.add_option("FOLDER", options->data.folder, "Data set")
                ->type_name("")
                ->check(not_empty())
                ->required();
            list.add_option("--splits", options->splits,
                            "Splits to check, the one trained on first; without it train and val")
                ->type_name("NAMES")
                ->comma_separated();
            add_dataset_options(list, options->data);
            list.add_flag("--json", options->json, "Print a JSON object instead of the text");
            list.footer(
                "Reads every photo and label file. Exits with 3 when training on the set would go\n"
                "wrong, with 0 when there are warnings at most.\n"
                "Example: tagclip data check msrc21");
            return [options](Console& console) { return check(*options, console); };
          }};
}

}  // namespace tagclip
