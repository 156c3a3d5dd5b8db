#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "cli/command.h"
#include "report/page.h"
#include "report/run_table.h"

namespace tagclip {
namespace {

struct ReportOptions {
  std::vector<std::string> runs;
  std::vector<std::string> photos;  // empty: the first ones
  std::string output = "report.html";
  bool json = false;
  bool overwrite = false;
};

// Reads the runs that can be read, and warns about the others.
std::vector<TrainingRun> read_runs(const std::vector<std::filesystem::path>& folders,
                                   const std::vector<std::string>& photos, Console& console) {
  std::vector<TrainingRun> runs;
  for (const auto& folder : folders) {
    try {
      runs.push_back(read_training_run(folder, photos));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kBadInput) throw;
      const std::string hint = error.hint().empty() ? "" : " (" + error.hint() + ")";
      console.warn(terminal_text("left out: " + std::string(error.what()) + hint));
    }
  }
  return runs;
}

// Throws Error(kBadInput) for a photo that no run has kept.
void check_photos(const std::vector<std::string>& photos, const std::vector<TrainingRun>& runs) {
  for (const std::string& photo : photos) {
    const bool found = std::ranges::any_of(runs, [&](const TrainingRun& run) {
      return std::ranges::count(run.examples, example_name(photo), &ExamplePhoto::name) > 0;
    });
    if (found) continue;
    throw bad_input("no run has kept the photo " + photo,
                    "runs keep the first validation photos, or those that the setting "
                    "example_photos names");
  }
}

int report(const ReportOptions& options, Console& console) {
  if (!options.overwrite && is_taken(options.output)) {
    throw usage_error(options.output + " exists already",
                      "give another name with -o, or --overwrite");
  }
  const auto folders = find_runs(options.runs);
  const std::vector<TrainingRun> runs = read_runs(folders, options.photos, console);
  if (runs.empty()) throw bad_input("none of the runs can be reported");
  check_photos(options.photos, runs);

  const std::vector<RunGroup> groups = group_runs(runs);
  console.print(options.json ? to_json(groups) : format_run_table(groups));
  write_file(options.output, report_page(groups));
  console.note("the page is " + options.output);
  return runs.size() < folders.size() ? static_cast<int>(ErrorKind::kBadInput) : 0;
}

void add_options(OptionList& list, ReportOptions& options) {
  list.add_option("RUN", options.runs, "Output folders of tagclip train, or folders that hold some")
      ->required()
      ->check(not_empty());
  list.add_option("-o,--output", options.output, "The page, one file that needs no other")
      ->type_name("FILE")
      ->check(not_empty())
      ->show_default();
  list.add_option("--photos", options.photos,
                  "Show these validation photos, by name; default: the first 8 that the runs kept")
      ->type_name("NAME,...")
      ->comma_separated();
  list.add_flag("--json", options.json, "A JSON object instead of the table");
  list.add_flag("--overwrite", options.overwrite, "Replace a page that exists already");
}

}  // namespace

Command report_command() {
  return {"report", "Compare training runs with each other and with the paper",
          [](OptionList& list) -> Action {
            auto options = std::make_shared<ReportOptions>();
            add_options(list, *options);
            list.footer(
                "Prints a table and writes a page with charts, classes and photos. Runs of one\n"
                "label whose settings differ in the seed alone become one row, mean and standard\n"
                "deviation; a label such as table1/d or table2/voc puts the paper's row below it.\n"
                "Example: tagclip report runs/baseline runs/tagclip -o report.html");
            return [options](Console& console) { return report(*options, console); };
          }};
}

}  // namespace tagclip
