#pragma once

#include <span>
#include <vector>

#include "image/label_map.h"
#include "infer/photo_encoder.h"
#include "infer/vocabulary.h"

namespace tagclip {

// The bias subtracted from an inductive model's scores of seen classes if `seen_bias` is not set:
// calibrated stacking (Chao et al. 2016) with the constant of the released code.
inline constexpr double kReleasedSeenBias = 0.1;

// Returns the rule by which logits become scores (Eq. 12; spec sections 7.2 and 9). `seen` per
// class: the model was trained on its labels. `inductive`: the model's training was. Throws
// Error(kUsage) for a `seen_bias` where the model has no seen classes.
ScoreRule score_rule(const std::vector<bool>& seen, bool inductive, const InferenceOptions& options,
                     const ScoreSemantics& scoring);

struct FoundClass {
  size_t index = 0;       // in the vocabulary
  double share = 0;       // of the photo's pixels
  double mean_score = 0;  // over its pixels
};

struct SegmentedPhoto {
  LabelMap labels;                // indices into the vocabulary, or kIgnoreIndex
  std::vector<float> scores;      // [height, width], of the best class, labelled or not
  std::vector<FoundClass> found;  // the classes that occur, largest first
  double unlabelled = 0;          // share of the photo's pixels
  // Per class, with InferenceOptions::presence: how well it fits the photo as a whole, 0 to 1; see
  // presence.h. Classes below that setting are left out, but background.
  std::vector<double> presence;
  std::vector<size_t> absent;  // these
  StageTimes times;
};

// The half of sliding-window inference that depends on the words: EncodedPhoto -> MaskLogits ->
// scores -> LabelMap. The scores of several views are averaged at the photo's size. Throws
// Error(kBadInput) for a photo whose logits would fill the memory, and when the model's output is
// not a number; Error(kUsage) as score_rule, and for more classes than labels.
SegmentedPhoto segment(const EncodedPhoto& photo, const DenseModel& model,
                       const EmbeddedVocabulary& vocabulary, const InferenceOptions& options);

// The scores of these classes at every pixel, [height, width] each: what `segment` takes the
// largest of, to 1e-5. Memory: a few maps of the photo's size beside those asked for. Throws as
// segment, and Error(kUsage) for a class that is none.
std::vector<std::vector<float>> class_scores(const EncodedPhoto& photo, const DenseModel& model,
                                             const EmbeddedVocabulary& vocabulary,
                                             const InferenceOptions& options,
                                             std::span<const int> classes);

// How sure the trusty token is that a pixel shows a class the model was trained on, 0 to 1,
// [height, width]; empty where the model or the options have no such token. Throws as segment.
std::vector<float> trusty_map(const EncodedPhoto& photo, const DenseModel& model,
                              const EmbeddedVocabulary& vocabulary,
                              const InferenceOptions& options);

// Sliding-window inference of whole photos with one vocabulary by a model in memory (spec section
// 7). Safe to use from several threads.
class SlidingSegmenter {
 public:
  // Throws as PhotoEncoder and score_rule.
  SlidingSegmenter(DenseModel model, EmbeddedVocabulary vocabulary,
                   const InferenceOptions& options = {});

  // Throws as PhotoEncoder and segment().
  SegmentedPhoto operator()(const Image& photo) const;
  // The same for a photo encoded by `encoder()` or one like it.
  SegmentedPhoto operator()(const EncodedPhoto& photo) const {
    return segment(photo, model_, vocabulary_, options_);
  }

  const PhotoEncoder& encoder() const { return encoder_; }
  const EmbeddedVocabulary& vocabulary() const { return vocabulary_; }

 private:
  DenseModel model_;
  EmbeddedVocabulary vocabulary_;
  InferenceOptions options_;
  PhotoEncoder encoder_;
};

}  // namespace tagclip
