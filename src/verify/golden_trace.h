#pragma once

#include <ATen/ATen.h>

#include "model/losses.h"
#include "model/segmentation_model.h"
#include "verify/golden_clip.h"
#include "verify/golden_inputs.h"

namespace tagclip {

// vision.patch_embedding [B, d, H', W'], vision.global_embedding [B, d]; on the training path (seen
// classes, then the trusty token) decoder.descriptor and decoder.layerN.query [B, Q, d],
// decoder.layerN.attn_logits [B, Q, N]; infer.attn_logits_all [B, C (+ 1), N] of all classes.
NamedTensors trace_forward(const SegmentationModel& model, const GoldenInputs& inputs);

// An encoding's patches as golden files hold them, [B, d, H', W'].
at::Tensor patch_map(const Encoding& encoding);

// The image encoder without prompts on the vision tower of a CLIP (OpenAI's names, sizes `config`).
// For every in.image_X [B, 3, H, W] tagclip_X.hidden.N [B, 1 + H'W', D] after block N,
// tagclip_X.patch_embedding [B, d, H', W'], tagclip_X.global_embedding [B, d], and the position
// embedding it used, [1 + H'W', D], as tagclip.positional_embedding_resized_to_X. Throws
// Error(kBadInput) naming the tensor that does not fit.
NamedTensors trace_image_encoder(const StateDict& clip, const ClipConfig& config,
                                 const StateDict& expected);

// Logits of the seen classes, and their losses by the released recipe, the inputs being one batch;
// no dropout. Throws Error(kBadInput) when the inputs hold no labels.
struct GoldenStep {
  MaskLogits logits;
  Losses losses;
};
GoldenStep golden_step(const SegmentationModel& model, const GoldenInputs& inputs);

// train.loss, train.loss_mask, train.loss_dice, train.loss_disc, train.acc_seg (percent of the
// labelled pixels whose best seen class is right), each [1], and grad.NAME of train.loss for every
// trained parameter. Throws as golden_step.
NamedTensors trace_training(SegmentationModel& model, const GoldenInputs& inputs);

}  // namespace tagclip
