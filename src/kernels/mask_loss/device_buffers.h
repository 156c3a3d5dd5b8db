#pragma once

#include <ATen/ATen.h>

#include "kernels/mask_loss/device.h"
#include "kernels/mask_loss/mask_maps.h"

namespace tagclip {

// The memory of a MaskTask, where the logits are.
class MaskBuffers {
 public:
  // logits [B, C, h, w] float, labels [B, H, W] of type Label.
  MaskBuffers(const at::Tensor& logits, const at::Tensor& labels);

  template <typename Label>
  MaskTask<Label> task() const;

  // What add_tiles has left.
  MaskMaps maps() const;

 private:
  // Rows or columns of a map that a tile has, for it to have no more than kMaskThreads logits.
  int64_t tile_width() const;
  int64_t tile_height() const;

  at::Tensor logits_, labels_, counts_, tile_sums_, tile_gradients_, sums_, gradients_;
};

// Runs the three kernels after each other on `stream`.
void run_on_gpu(const MaskTask<int64_t>& task, struct CUstream_st* stream);
void run_on_gpu(const MaskTask<int8_t>& task, struct CUstream_st* stream);

}  // namespace tagclip
