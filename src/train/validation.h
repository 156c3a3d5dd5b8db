#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "image/image.h"
#include "image/label_map.h"
#include "infer/sliding_segmenter.h"
#include "metrics/segmentation_metrics.h"
#include "train/trainer.h"

namespace tagclip {

// A validation image, its prediction and its ground truth.
struct Prediction {
  std::string name;
  Image photo;
  LabelMap labels, truth;
};

struct Validation {
  SegmentationMetrics metrics;
  double milliseconds_per_photo = 0;  // of this rank
  std::vector<Prediction> examples;   // on the root rank only
};

// Measures a model in training on its validation split.
class Validator {
 public:
  // Reads the list of images and embeds the class names. All arguments must outlive it. Throws as
  // Dataset, SlidingSegmenter and ConfusionMatrix, and Error(kUsage) for an example that is not in
  // the list: what a validation could throw but for unusable files comes here.
  Validator(const TrainConfig& config, const Trainer& trainer, const World& world);

  // The ranks share the images. nullopt when `stop_requested` is true on any of them.
  std::optional<Validation> operator()(const std::function<bool()>& stop_requested) const;

  const Dataset& data() const { return data_; }
  // Tells whether two validations measure the same: a fingerprint of the list of images, the
  // classes, their split and the settings of the inference.
  std::string identity() const;
  // Per class of the data: whether it counts for mIoU(S); the others count for mIoU(U).
  const std::vector<bool>& judged_seen() const { return judged_seen_; }

 private:
  std::vector<Prediction> predict_examples(const SlidingSegmenter& segmenter) const;

  const TrainConfig& config_;
  const Trainer& trainer_;
  const World& world_;
  Dataset data_;
  EmbeddedVocabulary vocabulary_;
  std::vector<bool> judged_seen_;
  std::vector<int64_t> examples_;  // positions in data_; on the root rank only
};

}  // namespace tagclip
