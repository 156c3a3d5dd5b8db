#pragma once

#include <filesystem>
#include <string>

#include "infer/vocabulary.h"
#include "model/segmentation_model.h"
#include "train/train_step.h"

namespace tagclip::bench {

// A model and the classes it is asked for. The last `unseen` classes are unseen in training.
struct Workload {
  std::string name;
  ModelConfig model;
  int64_t classes = 0;
  int64_t unseen = 0;
  std::filesystem::path weights = {};                 // of the model; empty: random ones
  GemmPrecision precision = GemmPrecision::kFloat32;  // of the encoder at inference
};

// Both are TagCLIP of ViT-B/16 at 512 x 512 as in the paper.
Workload voc_workload();   // 20 classes, 10 prompts
Workload coco_workload();  // 171 classes, 100 prompts

// Takes a model from a file, asked for as many classes as it was trained on, or VOC's where it does
// not say. Throws as load_model, and Error(kUsage) for a model that the reference does not compute.
Workload workload_of(const std::filesystem::path& weights);

// Returns the model with the workload's own weights, or random ones.
SegmentationModel model_of(const Workload& workload);

// All that follows is random, and the same in every run.

// The logits of full-size models spread like a trained one's (standard deviation 3). Near zero, as
// initialised, most classes could win nowhere, and blend would have it easy.
SegmentationModel random_model(const ModelConfig& config);
EmbeddedVocabulary random_vocabulary(const Workload& workload);
Image random_photo(int64_t side);
// Returns [photos, C, h, w] and [photos, 1, h, w] at patch resolution, spread like a trained
// model's.
MaskLogits random_logits(const Workload& workload, int64_t photos, int64_t classes);
// Labels are bands of one class each, the first one of each photo unlabelled.
StepInput random_batch(const Workload& workload, int64_t photos);

}  // namespace tagclip::bench
