#include "data/random_crop.h"

#include <algorithm>

#include "base/error.h"
#include "data/random.h"

namespace tagclip {
namespace {

constexpr int kTestedCandidates = 10;

// Pixels of each class. Labels come in long runs: one addition a run.
std::vector<int64_t> count_classes(const LabelMap& map, const CropBox& box) {
  std::vector<int64_t> counts;
  for (int y = box.y; y < box.y + box.height; ++y) {
    const uint16_t* run = map.labels.data() + static_cast<size_t>(y) * map.width + box.x;
    const uint16_t* const end = run + box.width;
    while (run != end) {
      const uint16_t label = *run;
      const uint16_t* next = std::find_if(run, end, [label](uint16_t l) { return l != label; });
      if (label != kIgnore) {
        if (label >= counts.size()) counts.resize(label + 1);
        counts[label] += next - run;
      }
      run = next;
    }
  }
  return counts;
}

}  // namespace

bool crop_is_mixed(const LabelMap& map, const CropBox& box, double max_ratio) {
  int64_t labelled = 0, largest = 0;
  for (const int64_t count : count_classes(map, box)) {
    labelled += count;
    largest = std::max(largest, count);
  }
  const bool several = largest < labelled;
  return several && static_cast<double>(largest) / static_cast<double>(labelled) < max_ratio;
}

CropBox draw_crop(Size source, int crop_size, std::mt19937_64& random) {
  TAGCLIP_CHECK(crop_size > 0, "crop size");
  const auto offset = [&](int length) {
    return static_cast<int>(uniform_index(random, std::max(length - crop_size, 0) + 1));
  };
  CropBox box;
  box.y = offset(source.height);
  box.x = offset(source.width);
  box.width = std::min(crop_size, source.width);
  box.height = std::min(crop_size, source.height);
  return box;
}

CropBox draw_crop(const LabelMap& map, int crop_size, double max_ratio, std::mt19937_64& random) {
  const auto draw = [&] { return draw_crop(Size{map.width, map.height}, crop_size, random); };
  CropBox box = draw();
  if (max_ratio >= 1) return box;
  for (int tested = 0; tested < kTestedCandidates; ++tested) {
    if (crop_is_mixed(map, box, max_ratio)) break;
    box = draw();
  }
  return box;
}

}  // namespace tagclip
