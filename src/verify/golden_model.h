#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "model/segmentation_model.h"
#include "verify/golden_clip.h"

namespace tagclip {

// Pixels with this label take no part in golden files.
inline constexpr int64_t kGoldenIgnoreIndex = 255;

// Holds the inputs in.* of a golden file for a segmentation model.
struct GoldenInputs {
  at::Tensor image;           // in.image [B, 3, H, W], normalised
  at::Tensor text;            // in.text [C, d], unit rows
  std::vector<int64_t> seen;  // in.seen_idx: the rows of text whose classes training labels
  // Losses alone read it; undefined if the file has none. int64, kGoldenIgnoreIndex = ignored.
  at::Tensor label;       // in.label [B, h, w] or [B, 1, h, w] in the file: rows of text
  at::Tensor label_seen;  // in.label_seen, likewise: positions in `seen`

  at::Tensor seen_text() const;  // [seen, d]
};

// Throws Error(kBadInput) naming the file and the input that is missing, misshapen or out of range.
GoldenInputs read_golden_inputs(const StateDict& expected, const ModelConfig& config);

// Computes vision.patch_embedding [B, d, H', W'] and vision.global_embedding [B, d]; in training
// (seen classes, then the trusty token) decoder.descriptor, decoder.layerN.query [B, Q, d] and
// decoder.layerN.attn_logits [B, Q, N]; infer.attn_logits_all [B, C (+ 1), N] of all classes.
NamedTensors trace_forward(const SegmentationModel& model, const GoldenInputs& inputs);

// Computes infer.SETTING.MODE, SETTING inductive or transductive, MODE plain, seen, unseen or both:
// the scores of all classes at the size of in.image, [B, C, H, W]. MODE logits: those of plain,
// every `stride`th row and column. Only names that `expected` holds are computed.
NamedTensors trace_scores(const SegmentationModel& model, const GoldenInputs& inputs,
                          const StateDict& expected, int64_t stride);

// Runs the image encoder without prompts on a CLIP's vision tower (OpenAI's names, sizes `config`).
// Computes, for every in.image_X [B, 3, H, W], tagclip_X.hidden.N [B, 1 + H'W', D] after block N,
// tagclip_X.patch_embedding [B, d, H', W'], tagclip_X.global_embedding [B, d], and the position
// embedding it used, [1 + H'W', D], as tagclip.positional_embedding_resized_to_X. Throws
// Error(kBadInput) naming the tensor that does not fit.
NamedTensors trace_image_encoder(const StateDict& clip, const ClipConfig& config,
                                 const StateDict& expected);

}  // namespace tagclip
