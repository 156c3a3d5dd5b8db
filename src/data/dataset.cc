#include "data/dataset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace tagclip {
namespace {

std::vector<LabelledFile> listed_pairs(const DatasetInfo& info, const std::string& split,
                                       MissingFiles missing) {
  SplitFiles files = list_split(info, split);
  if (missing == MissingFiles::kKept && !files.pairs.empty()) return std::move(files.listed);
  std::vector<std::string> problems;
  const auto complain = [&](const char* what, const std::vector<std::string>& names) {
    if (!names.empty()) problems.push_back(what + some_of(names));
  };
  complain("no photo for ", files.without_photo);
  complain("no label file for ", files.without_labels);
  if (problems.empty()) return std::move(files.pairs);
  if (!files.explanation.empty()) problems.push_back(files.explanation);
  throw bad_input(
      fmt::format("{}: {}", files.list, fmt::join(problems, "; ")),
      fmt::format("names stand without ending; photos are in {}/, label files in {}/",
                  folder_of_split(*info.kind, info.kind->photos, split),
                  folder_of_split(*info.kind, info.kind->labels.front().folder, split)));
}

}  // namespace

Dataset::Dataset(const DatasetOptions& options, const std::string& split, MissingFiles missing)
    : info_(read_dataset_info(options)), files_(listed_pairs(info_, split, missing)) {}

Image Dataset::image(size_t index) const { return read_image(image_path(index), info_.limits); }

LabelMap Dataset::labels(size_t index) const {
  LabelMap map = read_label_map(label_path(index), info_.limits);
  const LabelMapping& mapping = info_.mappings[files_[index].label_files];
  for (size_t i = 0; i < map.labels.size(); ++i) {
    const int label = mapping[map.labels[i]];
    if (label == LabelMapping::kNoClass) {
      throw bad_input(
          fmt::format("{}: the pixel at x {}, y {} has label {}, which is no class; the last is {}",
                      label_path(index).string(), i % map.width, i / map.width, map.labels[i],
                      mapping.last_value()),
          "255 is void; tagclip data check tells what may be wrong with the labels");
    }
    map.labels[i] = static_cast<uint16_t>(label);
  }
  return map;
}

LabelledImage Dataset::read(size_t index) const {
  LabelledImage sample{image(index), labels(index)};
  const auto& [photo, map] = sample;
  if (photo.width == map.width && photo.height == map.height) return sample;
  throw bad_input(fmt::format("{} is {}x{}, but its photo {} is {}x{}", label_path(index).string(),
                              map.width, map.height, image_path(index).string(), photo.width,
                              photo.height));
}

}  // namespace tagclip
