#pragma once

#include <vector>

#include "image/label_map.h"
#include "infer/photo_encoder.h"
#include "infer/scores.h"
#include "infer/vocabulary.h"

namespace tagclip {

struct SlidingOptions {
  int64_t window = 0, stride = 0, short_side = 0;  // see WindowOptions
  Weighting weighting = Weighting::kBoth;
  double threshold = 0;  // pixels with a lower score are unlabelled; 0: none is
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

// Sliding-window inference of whole photos (spec section 7): Image -> pixels -> EncodedPhoto ->
// MaskLogits -> scores -> LabelMap. Safe to use from several threads.
class SlidingSegmenter {
 public:
  // `model` must outlive it and should be frozen (ImageEncoder::freeze). Throws as PhotoEncoder,
  // and Error(kUsage) for more classes than labels.
  SlidingSegmenter(const DenseModel& model, EmbeddedVocabulary vocabulary,
                   const SlidingOptions& options = {});

  // Throws Error(kBadInput) for a photo that is too long and thin to hold its windows in memory,
  // and when the model's output is not a number.
  SegmentedPhoto operator()(const Image& photo) const;
  // The same for a photo whose encoding, by `encoder()` or one like it, is at hand: other words
  // cost the decoder only.
  SegmentedPhoto operator()(const EncodedPhoto& photo) const;

  const PhotoEncoder& encoder() const { return encoder_; }

  const EmbeddedVocabulary& vocabulary() const { return vocabulary_; }

 private:
  WindowLogits decode(const EncodedPhoto& photo) const;
  void check_memory(const EncodedPhoto& photo) const;

  const DenseModel& model_;
  EmbeddedVocabulary vocabulary_;
  PhotoEncoder encoder_;
  double threshold_;
  ScoreRule rule_;
};

}  // namespace tagclip
