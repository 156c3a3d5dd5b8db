#include "clip/packed_tower.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "base/error.h"
#include "base/platform.h"
#include "kernels/attention/attention.h"

namespace tagclip {
namespace {

// Returns the operand that products of this precision read `numbers` [.., width] from: the tensor
// itself, or a buffer to copy it to.
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

GemmPrecision of_ends(GemmPrecision precision) {
  if (precision != GemmPrecision::kInt8) return precision;
  return runs_here(GemmPrecision::kBFloat16) ? GemmPrecision::kBFloat16 : GemmPrecision::kFloat32;
}

GemmPrecision checked(GemmPrecision precision) {
  check_runs_here(precision);
  return precision;
}

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

at::Tensor PackedBlock::prefix_kv(const KeysValues& keys_values) const {
  TAGCLIP_CHECK(keys_values.keys.size(0) == 1, "prefixes of several images");
  const auto merged = [](const at::Tensor& x) { return x[0].transpose(0, 1).flatten(1); };
  return at::cat({merged(keys_values.keys), merged(keys_values.values)}, 1)
      .to(storage_type(in_proj_.precision()))
      .contiguous();
}

void PackedBlock::add_attention(at::Tensor& x, const at::Tensor& prefix_kv,
                                BlockBuffers& buffers) const {
  at::Tensor rows = as_rows(x), qkv = as_rows(buffers.qkv);
  in_proj_(buffers.normed, Epilogue::kBias, qkv);
  attention(buffers.qkv, prefix_kv, heads_, in_proj_.precision(), buffers.mixed);
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

void PackedBlock::operator()(at::Tensor& x, const at::Tensor& prefix_kv, BlockBuffers& buffers,
                             const RowNorm* next) const {
  add_attention(x, prefix_kv, buffers);
  add_mlp_of_normed(x, buffers, next);
}

PackedTower::PackedTower(const at::Tensor& conv1, Transformer transformer, const at::Tensor& proj,
                         GemmPrecision precision)
    : width_(conv1.size(0)),
      mlp_(transformer.resblocks.front().c_fc.weight.size(0)),
      patch_(conv1.size(2)),
      precision_(checked(precision)),
      conv1_(conv1.flatten(1), {}, of_ends(precision)),
      proj_(proj.t().contiguous(), {}, of_ends(precision)) {
  blocks_.reserve(transformer.resblocks.size());
  for (ResidualBlock& block : transformer.resblocks) {
    {
      const ResidualBlock own = std::move(block);
      blocks_.emplace_back(own, precision);
    }
    return_freed_pages();  // the next block's panels seldom fit where these matrices were
  }
}

PackedTower::~PackedTower() = default;

struct PackedTower::Pass::Buffers {
  Buffers(const PackedTower& tower, int64_t B, int64_t L)
      : tokens(at::empty({B, L, tower.width_})),
        of_blocks(B, L, tower.width_, tower.mlp_, tower.precision_),
        patches(empty_operand(L - 1, tower.conv1_.in(), tower.conv1_.precision())),
        normed(empty_operand(B * L, tower.width_, tower.proj_.precision())) {}

  at::Tensor rows() const { return tokens.view({-1, tokens.size(2)}); }

  at::Tensor tokens;  // [B, L, D]
  BlockBuffers of_blocks;
  GemmOperand patches;  // of one image: [L - 1, 3 patch patch]
  GemmOperand normed;   // as proj reads them: [B L, D]
  std::unique_ptr<Buffers> next_idle;
};

PackedTower::Pass::Pass(const PackedTower& tower, int64_t B, int64_t L) : tower_(tower) {
  {
    const std::lock_guard lock(tower_.mutex_);
    buffers_ = std::move(tower_.idle_);
    if (buffers_) tower_.idle_ = std::move(buffers_->next_idle);
  }
  if (buffers_ && buffers_->tokens.size(0) == B && buffers_->tokens.size(1) == L) return;
  buffers_.reset();                     // before the new ones are made
  const c10::InferenceMode off(false);  // they are written to inside and outside of it
  buffers_ = std::make_unique<Buffers>(tower_, B, L);
}

PackedTower::Pass::~Pass() {
  const std::lock_guard lock(tower_.mutex_);
  buffers_->next_idle = std::move(tower_.idle_);
  tower_.idle_ = std::move(buffers_);
}

at::Tensor& PackedTower::Pass::tokens() { return buffers_->tokens; }

void PackedTower::Pass::embed(const at::Tensor& pixels, const at::Tensor& first,
                              const at::Tensor& positions, const LayerNorm& norm) {
  const at::Tensor photos = pixels.contiguous();
  for (int64_t b = 0; b < photos.size(0); ++b) {
    at::Tensor own = buffers_->tokens[b], patches = own.narrow(0, 1, own.size(0) - 1);
    own[0].copy_(first);
    patches.copy_(positions);
    patch_rows(photos[b], tower_.patch_, buffers_->patches);
    tower_.conv1_(buffers_->patches, Epilogue::kAccumulate, patches);
  }
  apply(norm);
}

void PackedTower::Pass::run(size_t begin, size_t end, const std::vector<at::Tensor>& prefix_kv) {
  if (begin == end) return;
  const std::vector<PackedBlock>& blocks = tower_.blocks_;
  layer_norm_rows(buffers_->rows(), blocks[begin].first_norm(), buffers_->of_blocks.normed);
  for (size_t i = begin; i < end; ++i) {
    const RowNorm* next = i + 1 < end ? &blocks[i + 1].first_norm() : nullptr;
    blocks[i](buffers_->tokens, i < prefix_kv.size() ? prefix_kv[i] : at::Tensor(),
              buffers_->of_blocks, next);
  }
}

void PackedTower::Pass::add_mlp(size_t block) {
  tower_.blocks_[block].add_mlp(buffers_->tokens, buffers_->of_blocks);
}

void PackedTower::Pass::add_mlp_of_first_token(size_t block) {
  at::Tensor first = buffers_->tokens.narrow(1, 0, 1);  // [B, 1, D]
  at::Tensor own = first.contiguous();
  BlockBuffers buffers(own.size(0), 1, tower_.width_, tower_.mlp_, tower_.precision_);
  tower_.blocks_[block].add_mlp(own, buffers);
  first.copy_(own);
}

void PackedTower::Pass::apply(const LayerNorm& norm) {
  GemmOperand rows{.values = buffers_->rows()};
  layer_norm_rows(rows.values, row_norm(norm), rows);
}

at::Tensor PackedTower::Pass::project(const LayerNorm& norm) {
  layer_norm_rows(buffers_->rows(), row_norm(norm), buffers_->normed);
  const at::Tensor& tokens = buffers_->tokens;
  at::Tensor result = at::empty({tokens.size(0), tokens.size(1), tower_.proj_.out()});
  at::Tensor rows = result.view({-1, tower_.proj_.out()});
  tower_.proj_(buffers_->normed, Epilogue::kBias, rows);
  return result;
}

}  // namespace tagclip
