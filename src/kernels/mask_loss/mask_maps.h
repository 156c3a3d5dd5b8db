#pragma once

#include <ATen/ATen.h>

#include "kernels/mask_loss/mask_loss.h"

namespace tagclip {

// Holds one value for each sum of MaskSums that has a gradient.
template <typename T>
struct LossSums {
  T focal{}, intersection{}, prediction{};
};

// Holds the results of the CPU's and the GPU's kernels, outside of autograd.
struct MaskMaps {
  LossSums<at::Tensor> sums;       // [B, C]
  LossSums<at::Tensor> gradients;  // [B, C, h, w] float: of each sum to its map's logits
  at::Tensor counts;               // [B, C], pixels of each target
};

// Returns the sums as a function of logits [B, C, h, w], for autograd.
inline MaskSums with_gradients(const at::Tensor& logits, const MaskMaps& maps) {
  const at::Tensor zeros = logits - logits.detach();
  const auto attach = [&](const at::Tensor& sums, const at::Tensor& gradients) {
    return sums.to(at::kFloat) + (zeros * gradients).sum({2, 3});
  };
  const auto& [sums, gradients, counts] = maps;
  return {.focal = attach(sums.focal, gradients.focal),
          .intersection = attach(sums.intersection, gradients.intersection),
          .prediction = attach(sums.prediction, gradients.prediction),
          .target = counts.to(at::kFloat)};
}

}  // namespace tagclip
