#include <algorithm>
#include <map>

#include "base/error.h"
#include "label_formats/formats.h"
#include "label_formats/json_values.h"
#include "label_formats/mask_pairs.h"
#include "text/list_file.h"

namespace tagclip {
namespace {

constexpr const char* kLabelMap = "labelmap.txt";

// The splits that ImageSets/Segmentation lists, by the photos' names.
std::map<std::string, std::string> listed_splits(const SourceFiles& files) {
  std::map<std::string, std::string> splits;
  for (const std::string& list : files.with_ending(".txt")) {
    if (file_name(folder_of(list)) != "Segmentation") continue;
    const std::string split = usual_split(without_ending(file_name(list)));
    if (split != "train" && split != "val" && split != "test") continue;
    for (const ListLine& line : read_list_file(files.path(list))) splits[line.text] = split;
  }
  return splits;
}

bool recognise(const SourceFiles& files) {
  return !files.called(kLabelMap).empty() && files.has_folder("SegmentationClass");
}

LabelSource open(const SourceFiles& files, const std::filesystem::path& class_list) {
  refuse_class_list(class_list, "CVAT's labelmap.txt has the classes");
  const auto lists = files.called(kLabelMap);
  if (lists.empty()) {
    throw bad_input(files.source().string() + " has no labelmap.txt",
                    "CVAT writes it when a task is exported as \"Segmentation mask 1.1\"");
  }
  ClassNames names;
  LabelSource source;
  const auto path = files.path(lists.front());
  const MaskCoding coding = coding_of(read_class_list(path), path, names);
  std::vector<MaskFile> masks;
  for (const std::string& file : files.photos()) {
    const auto parts = path_parts(folder_of(file));
    if (std::ranges::find(parts, "SegmentationClass") == parts.end()) continue;
    masks.push_back({file, without_ending(file_name(file))});
  }
  pair_masks(files, masks, coding, source);
  const auto splits = listed_splits(files);
  for (SourceItem& item : source.items) {
    const auto split = splits.find(file_name(item.name));
    if (split != splits.end()) item.split = split->second;
  }
  if (source.items.empty() && !masks.empty()) {
    throw bad_input(files.source().string() + " holds masks, but not their photos",
                    "export the task from CVAT with \"Save images\", or put the photos into "
                    "JPEGImages/ beside SegmentationClass/");
  }
  source.classes = names.names();
  source.notes = names.notes();
  return source;
}

}  // namespace

LabelFormat cvat_masks_format() {
  return {"cvat-masks", "CVAT's \"Segmentation mask\": labelmap.txt and SegmentationClass",
          recognise, open};
}

}  // namespace tagclip
