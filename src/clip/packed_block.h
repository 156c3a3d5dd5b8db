#pragma once

#include <ATen/ATen.h>

#include "clip/transformer.h"
#include "kernels/linear/packed_linear.h"

namespace tagclip {

RowNorm row_norm(const LayerNorm& norm);

// What a block computes on the way, for B photos of L tokens; made once and used by every block.
struct BlockBuffers {
  BlockBuffers(int64_t B, int64_t L, int64_t width, int64_t mlp, GemmPrecision precision);

  GemmOperand normed;       // [B L, width]
  at::Tensor qkv;           // [B, L, 3 width]
  at::Tensor mixed;         // [B, L, width]
  GemmOperand mixed_rows;   // the same as products read them
  GemmOperand hidden;       // [B L, mlp]
  GemmOperand hidden_rows;  // likewise
};

// A ResidualBlock for inference on CPUs, its weights packed once. Rows stay float32 from block to
// block. Safe to use from several threads.
class PackedBlock {
 public:
  // Throws Error(kUsage) where the precision does not run here.
  PackedBlock(const ResidualBlock& block, GemmPrecision precision);

  const RowNorm& first_norm() const { return ln_1_; }

  // x [B, L, width] float -> the block's output, in its place. buffers.normed: x after first_norm;
  // left there is the output after `next`, if that is given. Rows attend to `also`, too: keys and
  // values [P, 2 width], made by `keys_values`; undefined: none.
  void operator()(at::Tensor& x, const at::Tensor& also, BlockBuffers& buffers,
                  const RowNorm* next) const;
  // The part after attention; buffers.normed is not read.
  void add_mlp(at::Tensor& x, BlockBuffers& buffers) const;

  // What `also` takes of keys and values of one photo.
  at::Tensor keys_values(const KeysValues& of) const;

 private:
  void add_attention(at::Tensor& x, const at::Tensor& also, BlockBuffers& buffers) const;
  void add_mlp_of_normed(at::Tensor& x, BlockBuffers& buffers, const RowNorm* next) const;

  RowNorm ln_1_, ln_2_;
  PackedLinear in_proj_, out_proj_, c_fc_, c_proj_;
  int64_t heads_;
  Epilogue activation_;
};

}  // namespace tagclip
