#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "model/losses.h"
#include "train/train_config.h"

namespace tagclip {

// The label of void in batches of stored labels: 255, as in label files, or the number of classes
// when 255 is one of them.
int64_t void_label(size_t classes);

// The classes that one step trains (Section 3.5 of the paper), and what becomes of the stored
// labels.
struct StepLabels {
  std::vector<int64_t> classes;  // of the data set, one per mask
  at::Tensor label;  // [void_label + 1] int64: stored label -> mask, kHiddenClass or kIgnoreIndex
  at::Tensor seen_mask;         // [void_label + 1] int8: stored label -> 1 seen, 0 unseen, -1 void
  std::vector<int64_t> pseudo;  // masks that hidden pixels may be given to; empty: they stay hidden
};

// `seen`: per class of the data set. A function of its arguments.
StepLabels step_labels(const TrainConfig& config, const std::vector<bool>& seen, int64_t iteration);

// True if labels of unseen classes become void as soon as they are read.
bool never_reads_unseen(const TrainConfig& config);

// The input of one step, on the model's device.
struct StepInput {
  at::Tensor pixels;  // [B, 3, H, W], normalised
  at::Tensor text;    // [C, d], unit rows: the classes that are trained
  Targets targets;    // of those classes
  at::Tensor pseudo;  // [U] int64: masks that pixels of kHiddenClass are given to; undefined: none
};

// Turns stored labels [B, H, W] into targets. text_of_all [classes of the data set, d].
StepInput step_input(at::Tensor pixels, const at::Tensor& stored_labels,
                     const at::Tensor& text_of_all, const StepLabels& labels);

// Keeps a step's input at the same addresses from step to step, where a CUDA graph reads it.
class StaticInput {
 public:
  // Copies `input` over the last one. False when its shapes differ: it is then in new memory.
  bool copy_from(const StepInput& input);

  const StepInput& get() const { return input_; }

 private:
  StepInput input_;
};

}  // namespace tagclip
