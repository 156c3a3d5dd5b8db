#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <mutex>
#include <vector>

#include "clip/transformer.h"
#include "kernels/linear/packed_linear.h"

namespace tagclip {

RowNorm row_norm(const LayerNorm& norm);

// Intermediate values of a block for B images of L tokens; made once and used by every block.
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
  // left there is the output after `next`, if that is given. `prefix_kv`, [P, 2 width], made by the
  // function of that name: keys and values that every row attends to, too; undefined: none.
  void operator()(at::Tensor& x, const at::Tensor& prefix_kv, BlockBuffers& buffers,
                  const RowNorm* next) const;
  // The part after attention; buffers.normed is not read.
  void add_mlp(at::Tensor& x, BlockBuffers& buffers) const;

  // Keys and values [1, heads, P, width/heads] in the layout and type that operator() takes.
  at::Tensor prefix_kv(const KeysValues& keys_values) const;

 private:
  void add_attention(at::Tensor& x, const at::Tensor& prefix_kv, BlockBuffers& buffers) const;
  void add_mlp_of_normed(at::Tensor& x, BlockBuffers& buffers, const RowNorm* next) const;

  RowNorm ln_1_, ln_2_;
  PackedLinear in_proj_, out_proj_, c_fc_, c_proj_;
  int64_t heads_;
  Epilogue activation_;
};

// The matrix products of a vision tower, packed for inference on CPUs. First and last layer are
// bfloat16, or float32, where blocks are int8. Safe to use from several threads. Buffers of
// intermediate values are kept: an image of the size of one before needs no new memory.
class PackedTower {
 public:
  // conv1 [D, 3, patch, patch], proj [D, d]. Blocks are packed and let go one after the other:
  // weights that nobody else holds are never all in memory twice. Throws Error(kUsage) where the
  // precision does not run here.
  PackedTower(const at::Tensor& conv1, Transformer transformer, const at::Tensor& proj,
              GemmPrecision precision);

  const std::vector<PackedBlock>& blocks() const { return blocks_; }

  // One batch on its way through the tower, step by step.
  class Pass {
   public:
    // B images of L tokens.
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
    // Runs blocks begin .. end - 1. prefix_kv: per block of the tower, from the first, what its
    // rows attend to, too (PackedBlock); later blocks have none.
    void run(size_t begin, size_t end, const std::vector<at::Tensor>& prefix_kv);
    // Runs only the part after attention, for all tokens or for the first of each image.
    void add_mlp(size_t block);
    void add_mlp_of_first_token(size_t block);
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
  mutable std::unique_ptr<Pass::Buffers> idle_;  // a list of those that no pass uses
};

}  // namespace tagclip
