#pragma once

#include <string>

#include "infer/vocabulary.h"
#include "model/segmentation_model.h"
#include "train/train_step.h"

namespace tagclip {

// A model and the classes it is asked for. The last `unseen` classes are unseen in training.
struct Workload {
  std::string name;
  ModelConfig model;
  int64_t classes = 0;
  int64_t unseen = 0;
};

// TagCLIP of ViT-B/16 at 512 x 512 as in the paper.
Workload voc_workload();   // 20 classes, 10 prompts
Workload coco_workload();  // 171 classes, 100 prompts

// What follows is random, and the same in every run.

// The logits of full-size models spread like a trained one's (deviation 3). Near zero, as
// initialised, most classes could win nowhere, and blend would have it easy.
SegmentationModel random_model(const ModelConfig& config);
EmbeddedVocabulary random_vocabulary(const Workload& workload);
Image random_photo(const Workload& workload);  // of the model's resolution
// Labels are bands of one class each, the first one of each photo unlabelled.
StepInput random_batch(const Workload& workload, int64_t photos);

}  // namespace tagclip
