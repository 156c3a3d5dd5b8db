#pragma once

#include <ATen/ATen.h>

#include "base/fields.h"
#include "base/labels.h"
#include "model/config.h"
#include "model/segmentation_model.h"

namespace tagclip {

// Holds the weights of the terms of Eq. 11. The defaults are the paper's.
struct LossConfig {
  double mask_weight = 20;    // alpha: focal term (ZegCLIP: 100)
  double dice_weight = 1;     // beta
  double trusty_weight = 10;  // gamma
  double presence_weight = 1;

  FieldList fields();
  ConstFieldList fields() const;
};

// Holds the ground truth of a batch.
struct Targets {
  // Labels are [B, H, W] int64: training classes 0..C-1; pixels of any other value are ignored.
  at::Tensor labels;
  // This is G_A (Eq. 9), [B, H, W] int8: 1 where the pixel's class is seen, 0 where it is unseen,
  // -1 where the pixel is unlabelled. Read by the trusty loss only.
  at::Tensor seen_mask;
};

// Holds the weighted terms of Eq. 11, each a scalar; undefined if the model has no such output.
struct Losses {
  at::Tensor mask;      // alpha L_focal(M_R, G_R)
  at::Tensor dice;      // beta L_dice(M_R, G_R)
  at::Tensor trusty;    // gamma L_A (Eq. 10)
  at::Tensor presence;  // L_cls
  at::Tensor total() const;
};

// Computes the training losses, Eq. 9 to 11 (spec sections 5 and 9). Logits are upsampled
// bilinearly to the labels. `num_masks`, a scalar, is the number of (image, present class) pairs of
// the batch (count_masks), averaged over ranks; zero counts as one. The CPU reads no value, so
// nothing waits for a GPU. float32 logits go through kernels/mask_loss, which never holds maps of
// the labels' size; others through reference_segmentation_losses.
//
// In both protocols the losses see Mask (Eq. 7) and not M_C = Mask x P (Eq. 8): focal, dice and
// trusty terms act on the bare mask logits, and P, the presence of the classes, is trained by L_cls
// alone. By the letter M_R and M_A are slices of M_C, so that the losses would act on the product,
// and the trusty map would have a P of its own. This is what SegViT, which Eq. 7 and 8 come from,
// does: P multiplies the class masks at inference only (ScoreRule in kernels/blend/blend.h), and
// the trusty map never.
Losses segmentation_losses(const MaskLogits& logits, const Targets& targets,
                           const at::Tensor& num_masks, Protocol protocol,
                           const LossConfig& config);

// Computes the same in LibTorch's operations alone.
Losses reference_segmentation_losses(const MaskLogits& logits, const Targets& targets,
                                     const at::Tensor& num_masks, Protocol protocol,
                                     const LossConfig& config);

// Returns the number of (image, present class) pairs of labels [B, H, W] for C training classes: a
// float32 scalar on the labels' device.
at::Tensor count_masks(const at::Tensor& labels, int64_t classes);

// Returns the pseudo labels of the transductive setting (spec section 5): where `labels` is
// kHiddenClass, the unseen class with the largest logit (the lowest of equals); elsewhere `labels`
// unchanged. logits [B, C, h, w] of all classes, upsampled to the labels bilinearly; labels
// [B, H, W] int64; unseen [U] int64, class indices, on the labels' device.
at::Tensor self_training_labels(const at::Tensor& logits, const at::Tensor& labels,
                                const at::Tensor& unseen);

}  // namespace tagclip
