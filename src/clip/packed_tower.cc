#include "clip/packed_tower.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "base/platform.h"

namespace tagclip {
namespace {

GemmPrecision of_ends(GemmPrecision precision) {
  if (precision != GemmPrecision::kInt8) return precision;
  return runs_here(GemmPrecision::kBFloat16) ? GemmPrecision::kBFloat16 : GemmPrecision::kFloat32;
}

}  // namespace

PackedTower::PackedTower(const at::Tensor& conv1, Transformer& transformer, const at::Tensor& proj,
                         GemmPrecision precision)
    : width_(conv1.size(0)),
      mlp_(transformer.resblocks.front().c_fc.weight.size(0)),
      patch_(conv1.size(2)),
      precision_((check_runs_here(precision), precision)),
      conv1_(conv1.flatten(1), {}, of_ends(precision)),
      proj_(proj.t().contiguous(), {}, of_ends(precision)) {
  blocks_.reserve(transformer.resblocks.size());
  for (ResidualBlock& block : transformer.resblocks) {
    blocks_.emplace_back(block, precision);
    for (at::Tensor* matrix : {&block.attn.in_proj_weight, &block.attn.out_proj.weight,
                               &block.c_fc.weight, &block.c_proj.weight}) {
      *matrix = at::Tensor();
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
  GemmOperand patches;  // of a photo: [L - 1, 3 patch patch]
  GemmOperand normed;   // as proj reads them: [B L, D]
};

PackedTower::Pass::Pass(const PackedTower& tower, int64_t B, int64_t L) : tower_(tower) {
  {
    const std::lock_guard lock(tower_.mutex_);
    if (!tower_.idle_.empty()) {
      buffers_ = std::move(tower_.idle_.back());
      tower_.idle_.pop_back();
    }
  }
  if (buffers_ && buffers_->tokens.size(0) == B && buffers_->tokens.size(1) == L) return;
  buffers_.reset();                     // before the new ones are made
  const c10::InferenceMode off(false);  // they may be written to with and without
  buffers_ = std::make_unique<Buffers>(tower_, B, L);
}

PackedTower::Pass::~Pass() {
  const std::lock_guard lock(tower_.mutex_);
  tower_.idle_.push_back(std::move(buffers_));
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

void PackedTower::Pass::run(size_t begin, size_t end, const std::vector<at::Tensor>& keys) {
  if (begin == end) return;
  const std::vector<PackedBlock>& blocks = tower_.blocks_;
  layer_norm_rows(buffers_->rows(), blocks[begin].first_norm(), buffers_->of_blocks.normed);
  for (size_t i = begin; i < end; ++i) {
    const RowNorm* next = i + 1 < end ? &blocks[i + 1].first_norm() : nullptr;
    blocks[i](buffers_->tokens, i < keys.size() ? keys[i] : at::Tensor(), buffers_->of_blocks,
              next);
  }
}

void PackedTower::Pass::add_mlp(size_t block) {
  tower_.blocks_[block].add_mlp(buffers_->tokens, buffers_->of_blocks);
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
