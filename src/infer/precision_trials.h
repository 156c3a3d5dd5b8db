#pragma once

#include <vector>

#include "infer/sliding_segmenter.h"

namespace tagclip {

// What `auto` asks of a precision: this share of the pixels labelled as in float32.
inline constexpr double kEqualLabels = 0.998;

struct PrecisionTrial {
  MatrixPrecision precision = MatrixPrecision::kFloat32;
  double equal = 1;    // share of the pixels labelled as in float32
  double seconds = 0;  // of encoding the photos
};

// Segments photos in float32 and in every other precision that runs here. `photos` must not be
// empty. Float32 comes first.
std::vector<PrecisionTrial> try_precisions(const DenseModel& model,
                                           const EmbeddedVocabulary& vocabulary,
                                           const SlidingOptions& options,
                                           const std::vector<Image>& photos);

// The fastest of them whose labels are float32's, up to kEqualLabels.
const PrecisionTrial& fastest_faithful(const std::vector<PrecisionTrial>& trials);

}  // namespace tagclip
