#pragma once

#include <functional>
#include <string>
#include <vector>

#include "infer/sliding_segmenter.h"

namespace tagclip {

// The demand of Precision::kAuto on a precision: this share of the pixels labelled as in float32,
// on this many photos.
inline constexpr double kEqualLabels = 0.998;
inline constexpr int64_t kTrialPhotos = 6;

struct PrecisionTrial {
  GemmPrecision precision = GemmPrecision::kFloat32;
  int64_t equal = 0;   // pixels labelled as in float32
  int64_t pixels = 0;  // of how many
  double seconds = 0;  // of encoding the photos

  double share() const { return static_cast<double>(equal) / static_cast<double>(pixels); }
};

// Trials of some photos, per precision in the order of kGemmPrecisions: those that run here,
// float32 first. Without photos there are none.
struct PrecisionEvidence {
  std::vector<std::string> photos;  // their digests
  std::vector<PrecisionTrial> trials;

  int64_t count() const { return std::ssize(photos); }
  // Adds the trials of other photos.
  PrecisionEvidence& operator+=(const PrecisionEvidence& more);
};

// Segments photos in every precision that runs here. `photos` must not be empty.
PrecisionEvidence try_precisions(const DenseModel& model, const EmbeddedVocabulary& vocabulary,
                                 const InferenceOptions& options, const std::vector<Image>& photos);

// The fastest whose labels are float32's, up to kEqualLabels. There must be trials.
const PrecisionTrial& fastest_faithful(const PrecisionEvidence& evidence);

// Describes for a person what was measured and chosen.
std::string describe(const PrecisionEvidence& evidence, const PrecisionTrial& chosen);

// Photos to choose from: `read`(i) may throw Error(kBadInput).
struct PhotoSource {
  int64_t count = 0;
  std::function<Image(int64_t)> read;
};

// Reads up to `wanted` photos from all over the source whose digests are not in `known`. Unreadable
// photos are skipped here; the code that segments them reports them.
std::vector<Image> pick_photos(const PhotoSource& source, const std::vector<std::string>& known,
                               int64_t wanted);

}  // namespace tagclip
