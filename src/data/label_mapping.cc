#include "data/label_mapping.h"

#include <algorithm>

namespace tagclip {
namespace {

constexpr int kVoid8 = 255;

// Category ids that COCO gave up before it published labels; pixel maps store id - 1.
constexpr int kUnusedCocoIds[] = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83, 91};

// Whether a value of the pixel maps stands for a category.
bool is_coco_value(int value) {
  return std::ranges::find(kUnusedCocoIds, value + 1) == std::end(kUnusedCocoIds);
}

}  // namespace

LabelMapping::LabelMapping(LabelCoding coding, size_t classes)
    : coding_(coding), table_(size_t{kIgnore} + 1, kNoClass) {
  int value = 0;
  if (coding == LabelCoding::kZeroBackground) table_[value++] = kIgnore;
  for (int c = 0; c < static_cast<int>(classes); ++c, ++value) {
    while (coding == LabelCoding::kCocoIds && !is_coco_value(value)) ++value;
    if (value >= kIgnore) break;
    table_[value] = c;
    last_ = value;
  }
  if (table_[kVoid8] == kNoClass) table_[kVoid8] = kIgnore;
  table_[kIgnore] = kIgnore;
}

}  // namespace tagclip
