#pragma once

#include <string>
#include <vector>

#include "infer/sliding_segmenter.h"

namespace tagclip {

// What `auto` asks of a precision: this share of the pixels labelled as in float32.
inline constexpr double kEqualLabels = 0.998;

struct PrecisionTrial {
  GemmPrecision precision = GemmPrecision::kFloat32;
  int64_t equal = 0;   // pixels labelled as in float32
  int64_t pixels = 0;  // of how many
  double seconds = 0;  // of encoding the photos

  double share() const { return static_cast<double>(equal) / static_cast<double>(pixels); }
};

// Trials of some photos, by precision in the order of kGemmPrecisions: what runs here, float32
// first. Without photos there are none.
struct PrecisionEvidence {
  std::vector<std::string> photos;  // their digests
  std::vector<PrecisionTrial> trials;

  int64_t count() const { return std::ssize(photos); }
  // Adds that of other photos.
  PrecisionEvidence& operator+=(const PrecisionEvidence& more);
};

// Of a photo's pixels.
std::string photo_digest(const Image& photo);

// Segments photos in every precision that runs here. `photos` must not be empty.
PrecisionEvidence try_precisions(const DenseModel& model, const EmbeddedVocabulary& vocabulary,
                                 const SlidingOptions& options, const std::vector<Image>& photos);

// The fastest whose labels are float32's, up to kEqualLabels. There must be trials.
const PrecisionTrial& fastest_faithful(const PrecisionEvidence& evidence);

}  // namespace tagclip
