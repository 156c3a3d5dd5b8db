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
  SegmentationMetrics metrics;        // of several data sets: see together()
  std::vector<SetMetrics> sets;       // each of several data sets; empty: there is one
  double milliseconds_per_photo = 0;  // of this rank
  std::vector<Prediction> examples;   // on the root rank only

  // What validations are ranked by: hIoU, or mIoU where nothing is unseen, the mean of the data
  // sets'; -1 where none is defined.
  double score() const;
};

// Measures a model in training on its validation split, or on those of several data sets, each with
// the classes of its own.
class Validator {
 public:
  // Reads the list of images and embeds the class names. All arguments must outlive it. Throws as
  // Dataset, SlidingSegmenter and ConfusionMatrix, and Error(kUsage) for an example that is not in
  // the list: what a validation could throw but for unusable files comes here.
  Validator(const TrainConfig& config, const Trainer& trainer, const World& world);

  // The ranks share the images. nullopt when `stop_requested` is true on any of them.
  std::optional<Validation> operator()(const std::function<bool()>& stop_requested) const;

  size_t size() const { return sets_.size(); }  // data sets
  const Dataset& data(size_t set) const { return sets_[set].data; }
  int64_t photos() const;
  // Data sets of the training that have no list of the validation's name.
  const std::vector<std::string>& left_out() const { return left_out_; }
  // Tells whether two validations measure the same: a fingerprint of the list of images, the
  // classes, their split and the settings of the inference.
  std::string identity() const;
  // What the files say that is measured on: images, classes and their split, in lines.
  std::string contents() const;
  // The classes of all data sets, one after the other; of several "rooms/wall".
  std::vector<std::string> classes() const;
  // Per class: whether it counts for mIoU(S); the others count for mIoU(U).
  std::vector<bool> judged_seen() const;

 private:
  struct Set {
    std::string name;
    Dataset data;
    EmbeddedVocabulary vocabulary;
    std::vector<bool> judged_seen;  // per class
    std::vector<int64_t> examples;  // positions in data; on the root rank only
  };

  std::vector<LabelSetOptions> measured_sets();
  void find_examples();
  std::string photo_name(const Set& set, int64_t photo) const;
  void predict_examples(size_t set, const SlidingSegmenter& segmenter,
                        std::vector<Prediction>& predictions) const;

  const TrainConfig& config_;
  const Trainer& trainer_;
  const World& world_;
  std::vector<Set> sets_;
  std::vector<std::string> left_out_;
};

}  // namespace tagclip
