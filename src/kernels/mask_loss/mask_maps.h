#pragma once

#include <ATen/ATen.h>

#include "kernels/mask_loss/mask_loss.h"

namespace tagclip {

// Sums over the pixels of one map: see MaskSums.
template <typename T>
struct MapSums {
  T focal{}, intersection{}, prediction{};
};

// What is known of all maps, without ties to the logits.
struct MaskMaps {
  MapSums<at::Tensor> sums;       // [B, C]
  MapSums<at::Tensor> gradients;  // [B, C, h, w] float
  at::Tensor counts;              // [B, C], pixels of each target
};

// The sums with their gradients to logits [B, C, h, w].
MaskSums with_gradients(const at::Tensor& logits, const MaskMaps& maps);

}  // namespace tagclip
