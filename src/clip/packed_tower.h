#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <mutex>
#include <vector>

#include "clip/packed_block.h"

namespace tagclip {

// The matrix products of a vision tower, packed for inference on CPUs. First and last layer are
// bfloat16 where blocks are int8. Safe to use from several threads; what they compute on the way
// is kept, so that a photo of the size of one before needs no new memory.
class PackedTower {
 public:
  // conv1 [D, 3, patch, patch], proj [D, d]. Throws Error(kUsage) where the precision does not run
  // here.
  PackedTower(const at::Tensor& conv1, const Transformer& transformer, const at::Tensor& proj,
              MatrixPrecision precision);

  // As embed_patches: pixels [B, 3, H, W] -> [B, H' W', D].
  at::Tensor embed_patches(const at::Tensor& pixels) const;
  // x [B, L, D] as ln_post has it, times proj: [B, L, d].
  at::Tensor project(const at::Tensor& x, const LayerNorm& ln_post) const;

  const std::vector<PackedBlock>& blocks() const { return blocks_; }

  // Buffers for as long as it lives.
  class Borrowed {
   public:
    Borrowed(const PackedTower& tower, int64_t B, int64_t L);
    ~Borrowed();
    Borrowed(const Borrowed&) = delete;
    Borrowed& operator=(const Borrowed&) = delete;
    BlockBuffers& operator*() { return *buffers_; }

   private:
    const PackedTower& tower_;
    std::unique_ptr<BlockBuffers> buffers_;
  };

 private:
  int64_t width_, mlp_, patch_;
  MatrixPrecision precision_;
  PackedLinear conv1_, proj_;
  std::vector<PackedBlock> blocks_;

  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<BlockBuffers>> idle_;  // one a thread that was here at once
};

}  // namespace tagclip
