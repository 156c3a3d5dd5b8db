#include "clip/packed_tower.h"

#include <algorithm>

namespace tagclip {
namespace {

MatrixPrecision of_ends(MatrixPrecision precision) {
  if (precision != MatrixPrecision::kInt8) return precision;
  return runs_here(MatrixPrecision::kBfloat16) ? MatrixPrecision::kBfloat16
                                               : MatrixPrecision::kFloat32;
}

}  // namespace

PackedTower::PackedTower(const at::Tensor& conv1, const Transformer& transformer,
                         const at::Tensor& proj, MatrixPrecision precision)
    : width_(conv1.size(0)),
      mlp_(transformer.resblocks.front().c_fc.weight.size(0)),
      patch_(conv1.size(2)),
      precision_((check_runs_here(precision), precision)),
      conv1_(conv1.flatten(1), {}, of_ends(precision)),
      proj_(proj.t().contiguous(), {}, of_ends(precision)) {
  for (const ResidualBlock& block : transformer.resblocks) blocks_.emplace_back(block, precision);
}

at::Tensor PackedTower::embed_patches(const at::Tensor& pixels) const {
  const at::Tensor photos = pixels.contiguous();
  const int64_t patches = photos.size(2) / patch_ * (photos.size(3) / patch_);
  at::Tensor result = at::empty({photos.size(0), patches, width_});
  Rows rows = empty_rows(patches, conv1_.in(), conv1_.precision());
  for (int64_t b = 0; b < photos.size(0); ++b) {
    patch_rows(photos[b], patch_, rows);
    at::Tensor out = result[b];
    conv1_(rows, Finish::kStore, out);
  }
  return result;
}

at::Tensor PackedTower::project(const at::Tensor& x, const LayerNorm& ln_post) const {
  const at::Tensor rows = x.contiguous().view({-1, width_});
  Rows normed = empty_rows(rows.size(0), width_, proj_.precision());
  layer_norm_rows(rows, ln_post.weight, ln_post.bias, ln_post.epsilon, normed);
  at::Tensor result = at::empty({rows.size(0), proj_.out()});
  proj_(normed, Finish::kStore, result);
  return result.view({x.size(0), x.size(1), proj_.out()});
}

PackedTower::Borrowed::Borrowed(const PackedTower& tower, int64_t B, int64_t L) : tower_(tower) {
  {
    const std::lock_guard lock(tower_.mutex_);
    if (!tower_.idle_.empty()) {
      buffers_ = std::move(tower_.idle_.back());
      tower_.idle_.pop_back();
    }
  }
  if (buffers_ && buffers_->mixed.size(0) == B && buffers_->mixed.size(1) == L) return;
  buffers_.reset();  // before the new ones are made
  buffers_ = std::make_unique<BlockBuffers>(B, L, tower.width_, tower.mlp_, tower.precision_);
}

PackedTower::Borrowed::~Borrowed() {
  const std::lock_guard lock(tower_.mutex_);
  tower_.idle_.push_back(std::move(buffers_));
}

}  // namespace tagclip
