#pragma once

#include <ATen/ATen.h>

#include "kernels/mask_loss/device.h"
#include "kernels/mask_loss/mask_maps.h"

namespace tagclip {

// Computes mask_sums (int64 labels) or binary_mask_sums (int8 labels) of tensors on a GPU. Without
// CUDA in the build (device_buffers_cpu.cc) it is the reference on their device.
MaskSums gpu_mask_sums(const at::Tensor& logits, const at::Tensor& labels);

// The memory that MaskLossParams points to, on the device of the logits. On the CPU for tests.
class MaskLossBuffers {
 public:
  // logits [B, C, h, w] float, labels [B, H, W] of type Label.
  MaskLossBuffers(const at::Tensor& logits, const at::Tensor& labels);

  template <typename Label>
  MaskLossParams<Label> params() const;

  // The results, once the kernels have run.
  MaskMaps maps() const;

 private:
  // Chosen so that a tile has at most kMaskThreads logits.
  int64_t tile_width() const;
  int64_t tile_height() const;

  at::Tensor logits_, labels_, counts_, tile_sums_, tile_gradients_, sums_, gradients_;
};

}  // namespace tagclip
