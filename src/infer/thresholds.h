#pragma once

#include <cstdint>
#include <vector>

#include "infer/vocabulary.h"
#include "kernels/blend/blend.h"

namespace tagclip {

// The class that pixels have where no other is found, the one called background; kIgnoreIndex where
// there is none.
uint16_t background_of(const EmbeddedVocabulary& vocabulary);

// Gives pixels with a lower score to the background. best.labels: classes, or kIgnoreIndex.
void apply_threshold(double threshold, uint16_t background, BestClass& best);

// The pixels of each of `count` classes. classes[r]: that of row r; best.labels: rows.
std::vector<int64_t> count_pixels(const BestClass& best, const std::vector<uint16_t>& classes,
                                  size_t count);

// Whether each class may stay: the background, and those that have more than this share of the
// pixels that are not the background's.
std::vector<bool> classes_above(double share, const std::vector<int64_t>& pixels,
                                uint16_t background);

}  // namespace tagclip
