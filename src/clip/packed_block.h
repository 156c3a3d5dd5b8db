#pragma once

#include <ATen/ATen.h>

#include "clip/transformer.h"
#include "kernels/packed_linear.h"

namespace tagclip {

// What a block computes on the way, for B photos of L tokens; made once and used by every block.
struct BlockBuffers {
  BlockBuffers(int64_t B, int64_t L, int64_t width, int64_t mlp, MatrixPrecision precision);

  Rows normed;                   // [B L, width]
  at::Tensor qkv;                // [B, L, 3 width]
  at::Tensor mixed;              // [B, L, width]
  at::Tensor hidden;             // [B L, mlp]
  Rows mixed_rows, hidden_rows;  // the same as products read them
};

// A ResidualBlock for inference on CPUs, its weights packed once. Rows stay float32 from block to
// block. Safe to use from several threads.
class PackedBlock {
 public:
  // Throws Error(kUsage) where the precision does not run here.
  PackedBlock(const ResidualBlock& block, MatrixPrecision precision);

  // x [B, L, width] float -> the block's output, in its place. Rows attend to `also`, too: keys and
  // values [P, 2 width], made by `keys_values`; undefined: none.
  void operator()(at::Tensor& x, const at::Tensor& also, BlockBuffers& buffers) const;
  // The part after attention.
  void add_mlp(at::Tensor& x, BlockBuffers& buffers) const;

  // What `also` takes of keys and values of one photo.
  at::Tensor keys_values(const KeysValues& of) const;

 private:
  void add_attention(at::Tensor& x, const at::Tensor& also, BlockBuffers& buffers) const;

  LayerNorm ln_1_, ln_2_;
  PackedLinear in_proj_, out_proj_, c_fc_, c_proj_;
  int64_t heads_;
  Activation activation_;
};

}  // namespace tagclip
