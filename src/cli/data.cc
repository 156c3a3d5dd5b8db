#include "base/error.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/dataset_options.h"
#include "commands/commands.h"
#include "data_check/data_check.h"
#include "label_formats/convert_labels.h"

namespace tagclip {
namespace {

struct DataOptions {
  std::string action;
  std::vector<std::string> folders;
  DatasetOptions data;
  std::vector<std::string> splits;
  LabelConvertOptions convert;
  bool json = false;
  // Those that only one of the actions knows.
  std::vector<const Option*> of_check, of_convert;
};

// What was found, nothing when it was stopped.
template <class Check>
int report(const std::optional<Check>& found, bool json, Console& console) {
  if (!found) {
    console.note("stopped; nothing was checked to its end");
    return kStopped;
  }
  console.print(json ? to_json(*found) : format_report(*found));
  return found->usable() ? 0 : static_cast<int>(ErrorKind::kBadInput);
}

int check(const DataOptions& options, Console& console) {
  std::vector<DatasetOptions> sets;
  for (const std::string& folder : options.folders) {
    sets.push_back(options.data);
    sets.back().folder = folder;
  }
  const auto progress = [&](size_t done, size_t total) {
    console.progress("checking", static_cast<int64_t>(done), static_cast<int64_t>(total));
    return !console.stop_requested();
  };
  if (sets.size() == 1) {
    return report(check_data(sets[0], options.splits, progress), options.json, console);
  }
  if (!options.data.unseen.empty() && options.data.unseen != "none") {
    throw usage_error("--unseen is about the classes of one data set, found several FOLDERs",
                      "name the unseen classes of each in its unseen.txt");
  }
  return report(check_joined_data(sets, options.splits, progress), options.json, console);
}

int convert(DataOptions options, Console& console) {
  if (options.convert.output.empty()) {
    throw usage_error("data convert needs -o: the folder of the new data set");
  }
  if (options.folders.size() > 1) {
    throw usage_error("data convert makes a data set of one FOLDER, found several",
                      "convert each into a set of its own; tagclip train joins several sets");
  }
  options.convert.source = options.folders.front();
  options.convert.limits.max_pixels = options.data.max_pixels;
  const auto done = convert_labels(options.convert, [&](size_t steps, size_t total) {
    console.progress("converting", static_cast<int64_t>(steps), static_cast<int64_t>(total));
    return !console.stop_requested();
  });
  if (!done) {
    console.note("stopped; nothing was written");
    return kStopped;
  }
  console.print(options.json ? to_json(*done) : format_report(*done));
  return done->has_failures() ? static_cast<int>(ErrorKind::kBadInput) : 0;
}

// Throws Error(kUsage) for an option of the other action, which would have no effect.
void refuse(const std::vector<const Option*>& options, const std::string& action,
            const std::string& other) {
  for (const Option* option : options) {
    if (!option->given()) continue;
    throw usage_error(option->name() + " is an option of data " + other + ", not of data " +
                      action);
  }
}

int run(const DataOptions& options, Console& console) {
  const bool is_check = options.action == "check";
  refuse(is_check ? options.of_convert : options.of_check, options.action,
         is_check ? "convert" : "check");
  return is_check ? check(options, console) : convert(options, console);
}

void add_check_options(OptionList& list, DataOptions& options) {
  const size_t first = list.all().size();
  list.add_option("--splits", options.splits,
                  "check: splits to check, the one trained on first; without it train and val")
      ->type_name("NAMES")
      ->comma_separated();
  add_dataset_options(list, options.data);
  for (size_t i = first; i < list.all().size(); ++i) {
    const Option& option = list.all()[i];
    if (option.name() != "--max-pixels") options.of_check.push_back(&option);  // of both
  }
}

void add_convert_options(OptionList& list, DataOptions& options) {
  const size_t first = list.all().size();
  LabelConvertOptions& convert = options.convert;
  list.add_option("-o,--output", convert.output, "convert: the new data set, a folder")
      ->type_name("FOLDER")
      ->check(not_empty());
  list.add_option("--from", convert.from, "convert: what FOLDER holds; auto finds out")
      ->check(one_of(label_format_names()))
      ->show_default();
  list.add_option("--classes", convert.classes,
                  "convert: names of the masks' values, one a line, or names and colours "
                  "(road: 128,64,128), where the export has no such list")
      ->type_name("FILE")
      ->check(not_empty());
  list.add_option("--unlabelled", Target([&convert](const std::string& word) {
                    convert.unlabelled =
                        word == "void" ? Unlabelled::kVoid : Unlabelled::kBackground;
                  }),
                  "convert: pixels that nobody labelled become the class background, label 0, or "
                  "void")
      ->check(one_of({"background", "void"}))
      ->show_default("background");
  list.add_option("--val-share", Target([&convert](const std::string& text) {
                    convert.val_share = parse_number<double>(text).value_or(-1);
                  }),
                  "convert: share of the photos for validation; without it the export's own lists, "
                  "else 0.2")
      ->type_name("X")
      ->check(number(0, 0.9));
  list.add_option("--seed", convert.seed, "convert: which photos are drawn for validation")
      ->check(whole_number(0, INT64_MAX))
      ->show_default();
  list.add_option("--photos", Target([&convert](const std::string& word) {
                    convert.link_photos = word == "link";
                  }),
                  "convert: copy the photos, or link to them")
      ->check(one_of({"copy", "link"}))
      ->show_default("copy");
  for (size_t i = first; i < list.all().size(); ++i) options.of_convert.push_back(&list.all()[i]);
}

}  // namespace

Command data_command() {
  return {"data", "Look for mistakes in a data set, or make one of an annotation tool's export",
          [](OptionList& list) -> Action {
            auto options = std::make_shared<DataOptions>();
            list.add_option("ACTION", options->action, "What to do")
                ->check(one_of({"check", "convert"}))
                ->required();
            list.add_option("FOLDER", options->folders,
                            "check: data set, or several that are to be trained on together; "
                            "convert: what a tool exported, or one of its files")
                ->type_name("")
                ->check(not_empty())
                ->required();
            add_check_options(list, *options);
            add_convert_options(list, *options);
            list.add_flag("--json", options->json, "Print a JSON object instead of the text");
            list.footer(
                "check reads every photo and label file. It exits with 3 when training on the set\n"
                "would go wrong, with 0 when there are warnings at most.\n"
                "convert reads LabelMe, COCO, CVAT, Roboflow, Cityscapes, YOLO and masks. What it\n"
                "cannot use is left out, with the reason; it then exits with 3.\n"
                "Example: tagclip data convert labelme_export -o mine");
            return [options](Console& console) { return run(*options, console); };
          }};
}

}  // namespace tagclip
