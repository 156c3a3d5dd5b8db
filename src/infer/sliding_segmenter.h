#pragma once

#include <vector>

#include "infer/scores.h"
#include "infer/vocabulary.h"
#include "infer/windows.h"
#include "io/image.h"
#include "io/label_map.h"

namespace tagclip {

struct SlidingOptions {
  int64_t window = 0;      // pixels; 0: the resolution the model was trained at
  int64_t stride = 0;      // pixels; 0: window * 426 / 512, as the paper's
  int64_t short_side = 0;  // photos are resized to it, keeping their ratio; 0: the window
  Weighting weighting = Weighting::kBoth;
  double threshold = 0;  // pixels with a lower score are unlabelled; 0: none is
};

// Seconds.
struct StageTimes {
  double prepare = 0;  // resize, crop, normalise
  double encode = 0;   // image encoder
  double decode = 0;   // decode head
  double blend = 0;    // logits to labels
};

struct FoundClass {
  size_t index = 0;       // in the vocabulary
  double share = 0;       // of the photo's pixels
  double mean_score = 0;  // over its pixels
};

struct SegmentedPhoto {
  LabelMap labels;                // indices into the vocabulary, or kIgnore
  std::vector<float> scores;      // [height, width], of the best class, labelled or not
  std::vector<FoundClass> found;  // the classes that occur, largest first
  double unlabelled = 0;          // share of the photo's pixels
  StageTimes times;
};

// Sliding-window inference of whole photos (spec section 7): Image -> pixels -> Encoding ->
// MaskLogits -> scores
// -> LabelMap. Safe to use from several threads.
class SlidingSegmenter {
 public:
  // `model` must outlive it and should be frozen (ImageEncoder::freeze). Throws Error(kUsage) when
  // the window or short side is smaller than a patch, or the stride larger than the window.
  SlidingSegmenter(const SegmentationModel& model, EmbeddedVocabulary vocabulary,
                   const SlidingOptions& options = {});

  // Throws Error(kBadInput) for a photo that is too long and thin to hold its windows in memory,
  // and when the model's output is not a number.
  SegmentedPhoto operator()(const Image& photo) const;

  const EmbeddedVocabulary& vocabulary() const { return vocabulary_; }

 private:
  WindowLogits encode_and_decode(const Image& picture, const std::vector<CropBox>& windows,
                                 StageTimes& times) const;
  void check_memory(const std::vector<CropBox>& windows) const;

  const SegmentationModel& model_;
  EmbeddedVocabulary vocabulary_;
  SlidingOptions options_;  // without zeros that stand for a default
  ScoreRule rule_;
};

}  // namespace tagclip
