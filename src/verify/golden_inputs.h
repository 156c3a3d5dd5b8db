#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "clip/weights.h"
#include "model/config.h"

namespace tagclip {

// What a golden file (inputs in.*, and the values a model must compute from them) gives a
// segmentation model to work on.
struct GoldenInputs {
  at::Tensor image;           // in.image [B, 3, H, W], normalised
  at::Tensor text;            // in.text [C, d], unit rows
  std::vector<int64_t> seen;  // in.seen_idx: the rows of text that training knows
  // For losses only; undefined where the file has none. int64, 255 = ignored.
  at::Tensor label;       // in.label [B, h, w] or [B, 1, h, w] in the file: rows of text
  at::Tensor label_seen;  // in.label_seen, likewise: positions in `seen`

  at::Tensor seen_text() const;  // [seen, d]
};

// Throws Error(kBadInput) naming the file and the input that is missing, misshapen or out of range.
GoldenInputs read_golden_inputs(const StateDict& expected, const ModelConfig& config);

}  // namespace tagclip
