#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <mutex>
#include <vector>

#include "clip/packed_block.h"

namespace tagclip {

// The matrix products of a vision tower, packed for inference on CPUs. First and last layer are
// bfloat16, or float32, where blocks are int8. Safe to use from several threads; what they compute
// on the way is kept, so that a photo of the size of one before needs no new memory.
class PackedTower {
 public:
  // conv1 [D, 3, patch, patch], proj [D, d]. Takes the matrices out of the transformer's blocks,
  // one after the other, so that they need not all be held twice. Throws Error(kUsage) where the
  // precision does not run here; then nothing was taken.
  PackedTower(const at::Tensor& conv1, Transformer& transformer, const at::Tensor& proj,
              GemmPrecision precision);

  const std::vector<PackedBlock>& blocks() const { return blocks_; }

  // What photos become on their way through the tower, step by step.
  class Pass {
   public:
    // B photos of L tokens.
    Pass(const PackedTower& tower, int64_t B, int64_t L);
    ~Pass();
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

    // [B, L, D] float, in the tower's memory: valid as long as the pass.
    at::Tensor& tokens();

    // tokens = norm([first; patches of pixels + positions]): pixels [B, 3, H, W], first [D],
    // positions [L - 1, D].
    void embed(const at::Tensor& pixels, const at::Tensor& first, const at::Tensor& positions,
               const LayerNorm& norm);
    // Through blocks begin .. end - 1. keys: what their rows attend to, too (PackedBlock), counted
    // from the first block; none where it ends.
    void run(size_t begin, size_t end, const std::vector<at::Tensor>& keys);
    // Only the part after attention.
    void add_mlp(size_t block);
    void apply(const LayerNorm& norm);
    // norm(tokens) proj: [B, L, d].
    at::Tensor project(const LayerNorm& norm);

   private:
    struct Buffers;

    const PackedTower& tower_;
    std::unique_ptr<Buffers> buffers_;
    friend class PackedTower;
  };

  ~PackedTower();

 private:
  int64_t width_, mlp_, patch_;
  GemmPrecision precision_;
  PackedLinear conv1_, proj_;
  std::vector<PackedBlock> blocks_;

  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Pass::Buffers>> idle_;  // as many as were in use at once
};

}  // namespace tagclip
