#include "clip/packed_block.h"

#include "base/error.h"
#include "kernels/attention.h"

namespace tagclip {
namespace {

// `rows` as products of this precision read them: themselves, unless that takes a copy.
Rows rows_of(const at::Tensor& numbers, int64_t width, MatrixPrecision precision) {
  if (precision == MatrixPrecision::kInt8)
    return empty_rows(numbers.numel() / width, width, precision);
  return {numbers.view({-1, width}), {}};
}

void refresh(const at::Tensor& numbers, Rows& rows) {
  if (rows.scales.defined()) copy_rows(numbers.view(rows.values.sizes()), rows);
}

at::Tensor as_rows(const at::Tensor& x) { return x.view({-1, x.size(-1)}); }

}  // namespace

BlockBuffers::BlockBuffers(int64_t B, int64_t L, int64_t width, int64_t mlp,
                           MatrixPrecision precision)
    : normed(empty_rows(B * L, width, precision)),
      qkv(at::empty({B, L, 3 * width}, storage_type(precision))),
      mixed(at::empty({B, L, width}, storage_type(precision))),
      hidden(at::empty({B * L, mlp}, storage_type(precision))),
      mixed_rows(rows_of(mixed, width, precision)),
      hidden_rows(rows_of(hidden, mlp, precision)) {}

PackedBlock::PackedBlock(const ResidualBlock& block, MatrixPrecision precision)
    : ln_1_(block.ln_1),
      ln_2_(block.ln_2),
      in_proj_(block.attn.in_proj_weight, block.attn.in_proj_bias, precision),
      out_proj_(block.attn.out_proj.weight, block.attn.out_proj.bias, precision),
      c_fc_(block.c_fc.weight, block.c_fc.bias, precision),
      c_proj_(block.c_proj.weight, block.c_proj.bias, precision),
      heads_(block.attn.heads),
      activation_(block.activation) {}

at::Tensor PackedBlock::keys_values(const KeysValues& of) const {
  TAGCLIP_CHECK(of.keys.size(0) == 1, "keys and values of several photos");
  const auto merged = [](const at::Tensor& x) { return x[0].transpose(0, 1).flatten(1); };
  return at::cat({merged(of.keys), merged(of.values)}, 1)
      .to(storage_type(in_proj_.precision()))
      .contiguous();
}

void PackedBlock::add_attention(at::Tensor& x, const at::Tensor& also,
                                BlockBuffers& buffers) const {
  at::Tensor rows = as_rows(x), qkv = as_rows(buffers.qkv);
  layer_norm_rows(rows, ln_1_.weight, ln_1_.bias, ln_1_.epsilon, buffers.normed);
  in_proj_(buffers.normed, Finish::kStore, qkv);
  attention(buffers.qkv, also, heads_, buffers.mixed);
  refresh(buffers.mixed, buffers.mixed_rows);
  out_proj_(buffers.mixed_rows, Finish::kAdd, rows);
}

void PackedBlock::add_mlp(at::Tensor& x, BlockBuffers& buffers) const {
  at::Tensor rows = as_rows(x);
  layer_norm_rows(rows, ln_2_.weight, ln_2_.bias, ln_2_.epsilon, buffers.normed);
  if (activation_ == Activation::kQuickGelu) {
    c_fc_(buffers.normed, Finish::kStoreQuickGelu, buffers.hidden);
  } else {
    c_fc_(buffers.normed, Finish::kStore, buffers.hidden);
    at::gelu_(buffers.hidden);
  }
  refresh(buffers.hidden, buffers.hidden_rows);
  c_proj_(buffers.hidden_rows, Finish::kAdd, rows);
}

void PackedBlock::operator()(at::Tensor& x, const at::Tensor& also, BlockBuffers& buffers) const {
  add_attention(x, also, buffers);
  add_mlp(x, buffers);
}

}  // namespace tagclip
