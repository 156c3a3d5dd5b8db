#include "clip/packed_block.h"

#include "base/error.h"
#include "kernels/attention/attention.h"

namespace tagclip {
namespace {

// `numbers` [.., width] as products of this precision read them: themselves, unless that takes a
// copy.
GemmOperand rows_of(const at::Tensor& numbers, int64_t width, GemmPrecision precision) {
  const at::Tensor rows = numbers.view({-1, width});
  GemmOperand copies = empty_operand(rows.size(0), width, precision);
  const bool alike = rows.scalar_type() == copies.values.scalar_type() &&
                     rows.strides() == copies.values.strides() && !copies.low.defined();
  return alike ? GemmOperand{.values = rows} : copies;
}

void refresh(const at::Tensor& numbers, GemmOperand& rows) {
  if (!rows.values.is_alias_of(numbers)) copy_to_operand(numbers.view(rows.values.sizes()), rows);
}

at::Tensor as_rows(const at::Tensor& x) { return x.view({-1, x.size(-1)}); }

}  // namespace

RowNorm row_norm(const LayerNorm& norm) { return {norm.weight, norm.bias, norm.epsilon}; }

BlockBuffers::BlockBuffers(int64_t B, int64_t L, int64_t width, int64_t mlp,
                           GemmPrecision precision)
    : normed(empty_operand(B * L, width, precision)),
      qkv(at::empty({B, L, 3 * width}, storage_type(precision))),
      mixed(at::empty({B, L, width}, storage_type(precision))),
      mixed_rows(rows_of(mixed, width, precision)),
      hidden(empty_output(B * L, mlp, precision)),
      hidden_rows(hidden.values.scalar_type() == operand_type(precision)
                      ? hidden
                      : empty_operand(B * L, mlp, precision)) {}

PackedBlock::PackedBlock(const ResidualBlock& block, GemmPrecision precision)
    : ln_1_(row_norm(block.ln_1)),
      ln_2_(row_norm(block.ln_2)),
      in_proj_(block.attn.in_proj_weight, block.attn.in_proj_bias, precision),
      out_proj_(block.attn.out_proj.weight, block.attn.out_proj.bias, precision),
      c_fc_(block.c_fc.weight, block.c_fc.bias, precision),
      c_proj_(block.c_proj.weight, block.c_proj.bias, precision),
      heads_(block.attn.heads),
      activation_(block.activation == Activation::kQuickGelu ? Epilogue::kQuickGelu
                                                             : Epilogue::kGelu) {}

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
  in_proj_(buffers.normed, Epilogue::kBias, qkv);
  attention(buffers.qkv, also, heads_, in_proj_.precision(), buffers.mixed);
  refresh(buffers.mixed, buffers.mixed_rows);
  out_proj_.add_and_norm(buffers.mixed_rows, rows, ln_2_, buffers.normed);
}

void PackedBlock::add_mlp_of_normed(at::Tensor& x, BlockBuffers& buffers,
                                    const RowNorm* next) const {
  at::Tensor rows = as_rows(x);
  c_fc_(buffers.normed, activation_, buffers.hidden);
  refresh(buffers.hidden.values, buffers.hidden_rows);
  if (next) {
    c_proj_.add_and_norm(buffers.hidden_rows, rows, *next, buffers.normed);
  } else {
    c_proj_(buffers.hidden_rows, Epilogue::kAccumulate, rows);
  }
}

void PackedBlock::add_mlp(at::Tensor& x, BlockBuffers& buffers) const {
  layer_norm_rows(as_rows(x), ln_2_, buffers.normed);
  add_mlp_of_normed(x, buffers, nullptr);
}

void PackedBlock::operator()(at::Tensor& x, const at::Tensor& also, BlockBuffers& buffers,
                             const RowNorm* next) const {
  add_attention(x, also, buffers);
  add_mlp_of_normed(x, buffers, next);
}

}  // namespace tagclip
