#include <algorithm>

#include "base/error.h"
#include "label_formats/formats.h"
#include "label_formats/json_values.h"
#include "label_formats/mask_pairs.h"

namespace tagclip {
namespace {

constexpr const char* kClassTable = "_classes.csv";

bool recognise(const SourceFiles& files) { return !files.called(kClassTable).empty(); }

LabelSource open(const SourceFiles& files, const std::filesystem::path& class_list) {
  refuse_class_list(class_list, "Roboflow's _classes.csv has the classes");
  const auto tables = files.called(kClassTable);
  if (tables.empty()) throw bad_input(files.source().string() + " has no _classes.csv");
  ClassNames names;
  LabelSource source;
  // Each split has a table of its own, and masks beside the photos.
  for (const std::string& table : tables) {
    const MaskCoding coding =
        coding_of(read_class_list(files.path(table)), files.path(table), names);
    std::vector<MaskFile> masks = find_masks(files);
    std::erase_if(masks,
                  [&](const MaskFile& mask) { return folder_of(mask.file) != folder_of(table); });
    LabelSource part;
    pair_masks(files, masks, coding, part);
    std::ranges::move(part.items, std::back_inserter(source.items));
    std::erase_if(part.left_out, [](const LeftOutItem& entry) { return !entry.is_failure; });
    std::ranges::move(part.left_out, std::back_inserter(source.left_out));
  }
  source.classes = names.names();
  source.notes = names.notes();
  return source;
}

}  // namespace

LabelFormat roboflow_masks_format() {
  return {"roboflow-masks", "Roboflow's \"Semantic Segmentation Masks\": _classes.csv", recognise,
          open};
}

}  // namespace tagclip
