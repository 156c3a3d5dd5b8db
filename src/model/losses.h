#pragma once

#include <ATen/ATen.h>

#include "base/fields.h"
#include "model/config.h"
#include "model/segmentation_model.h"

namespace tagclip {

// The overlap term of a mask. Tversky is the released code's other choice, kept as released: it
// lacks the "1 -", so minimising it drives masks away from their targets.
enum class OverlapLoss { kDice, kTversky };

struct LossConfig {
  double mask_weight = 20;    // alpha: focal term (ZegCLIP: 100)
  double dice_weight = 1;     // beta
  double trusty_weight = 10;  // gamma
  double presence_weight = 1;
  OverlapLoss overlap = OverlapLoss::kDice;

  FieldList fields();
  ConstFieldList fields() const;
};

// What a batch should look like. Labels count the training classes 0..C-1; any other value is
// ignored.
struct Targets {
  at::Tensor labels;  // [B, H, W] int64
  // [B, H, W] int8: 1 where the pixel's class is seen, 0 where unseen, -1 where unlabelled.
  // Needed for the trusty loss only.
  at::Tensor familiar;
};

// The weighted terms, each a scalar; undefined where the model has no such output.
struct Losses {
  at::Tensor mask, dice, trusty, presence;
  at::Tensor total() const;
};

// Training losses (spec sections 5 and 9). Logits are upsampled bilinearly to the labels.
// `num_masks` is the number of (photo, present class) pairs, averaged over ranks: count_masks of
// the batch alone; none counts as one. Nothing of it is read on the CPU. float32 goes through
// kernels/mask_loss/mask_loss.h, which never holds maps of the labels' size; all else as
// plain_segmentation_losses.
Losses segmentation_losses(const MaskLogits& logits, const Targets& targets,
                           const at::Tensor& num_masks, Protocol protocol,
                           const LossConfig& config);

// The same in LibTorch's operations alone: the reference.
Losses plain_segmentation_losses(const MaskLogits& logits, const Targets& targets,
                                 const at::Tensor& num_masks, Protocol protocol,
                                 const LossConfig& config);

// (photo, present class) pairs of labels [B, H, W], for C training classes. A scalar, float32,
// where the labels are.
at::Tensor count_masks(const at::Tensor& labels, int64_t classes);

}  // namespace tagclip
