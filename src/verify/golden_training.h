#pragma once

#include "model/losses.h"
#include "verify/golden_model.h"

namespace tagclip {

// Holds logits of the seen classes, and their losses by the released recipe, the inputs being one
// batch; no dropout.
struct GoldenStep {
  MaskLogits logits;
  Losses losses;
};
// Throws Error(kBadInput) when the inputs hold no labels.
GoldenStep golden_step(const SegmentationModel& model, const GoldenInputs& inputs);

// Computes train.loss, train.loss_mask, train.loss_dice, train.loss_disc, train.acc_seg (percent of
// the labelled pixels whose best seen class is right), each [1], and grad.NAME of train.loss for
// every trained parameter. Throws as golden_step.
NamedTensors trace_training(SegmentationModel& model, const GoldenInputs& inputs);

// Computes train.loss_history_adamw_lrLR_wdWD [steps], for every such name in `expected`:
// train.loss before each of that many steps of plain AdamW with learning rate LR and weight decay
// WD on the one batch. The model's weights are restored afterwards. Throws Error(kBadInput) when
// the name holds no numbers or the history is longer than 1000 steps.
NamedTensors trace_histories(SegmentationModel& model, const GoldenInputs& inputs,
                             const StateDict& expected);

}  // namespace tagclip
