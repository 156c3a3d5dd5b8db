#pragma once

#include <cstdint>
#include <vector>

#include "image/label_map.h"

namespace tagclip {

// Pixels of one class that count as one thing.
struct LabelRegion {
  uint16_t label = 0;
  int left = 0, top = 0, width = 0, height = 0;  // the box around them, pixels
  int64_t area = 0;                              // their number
  double score = 0;                              // their mean score, as far as it is known
};

// Divides a label map into regions. Unlabelled pixels belong to none.
struct Regions {
  int width = 0, height = 0;
  std::vector<uint32_t> of_pixel;  // [height, width]: an index into `all` plus one, or 0
  std::vector<LabelRegion> all;
};

// Returns one region per class that occurs, or with `instances` one per connected part of it
// (diagonal neighbours are connected). They are ordered by class, then by their first pixel. Pixels
// of the class `left_out` count as unlabelled.
Regions find_regions(const LabelMap& labels, bool instances, uint16_t left_out = kIgnoreIndex);

// Sets the scores to the means over the regions' pixels. `scores`: [height, width].
void set_mean_scores(const std::vector<float>& scores, Regions& regions);

// The pixels of a region in its box.
struct RegionMask {
  int left = 0, top = 0, width = 0, height = 0;
  std::vector<uint8_t> inside;  // [height, width], 0 or 1

  // Places outside of the box are outside of the region.
  bool contains(int x, int y) const {
    x -= left, y -= top;
    return x >= 0 && y >= 0 && x < width && y < height &&
           inside[static_cast<size_t>(y) * width + x] != 0;
  }
};

RegionMask mask_of(const Regions& regions, size_t index);

// --- Small regions ---

// Gives connected regions of fewer than `min_pixels` pixels to the class that they share the
// longest border with, smallest first; one that borders on unlabelled pixels alone stays.
void merge_small_regions(int64_t min_pixels, LabelMap& labels);

// Gives connected regions of fewer than `min_pixels` pixels the label `instead`.
void drop_small_regions(int64_t min_pixels, uint16_t instead, LabelMap& labels);

}  // namespace tagclip
