#include "kernels/mask_loss/device_buffers.h"

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace tagclip {
namespace {

constexpr int64_t kWidest = 64;  // columns of a tile

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

Stretch stretch(int64_t from, int64_t to) {
  return {static_cast<int>(from), static_cast<int>(to),
          static_cast<float>(from) / static_cast<float>(to)};
}

}  // namespace

MaskBuffers::MaskBuffers(const at::Tensor& logits, const at::Tensor& labels)
    : logits_(logits.detach().contiguous()), labels_(labels.contiguous()) {
  const int64_t photos = logits.size(0), classes = logits.size(1);
  const int64_t height = logits.size(2), width = logits.size(3);
  TAGCLIP_CHECK(
      std::max({height, width, labels.size(1), labels.size(2)}) <= std::numeric_limits<int>::max(),
      "mask_sums: a side beyond 32 bits");
  const int64_t tiles = ceil_div(height, tile_height()) * ceil_div(width, tile_width());
  const auto floats = logits_.options();
  counts_ = at::zeros({photos, classes}, floats.dtype(at::kInt));
  tile_sums_ = at::empty({kMaskSums, photos * classes, tiles}, floats);
  tile_gradients_ =
      at::empty({kMaskSums, photos * classes, tiles, tile_height() + 2, tile_width() + 2}, floats);
  sums_ = at::empty({kMaskSums, photos, classes}, floats);
  gradients_ = at::empty({kMaskSums, photos, classes, height, width}, floats);
}

int64_t MaskBuffers::tile_width() const {
  const int64_t width = logits_.size(3);
  return ceil_div(width, ceil_div(width, kWidest));
}

int64_t MaskBuffers::tile_height() const {
  return std::min(kMaskThreads / tile_width(), logits_.size(2));
}

template <typename Label>
MaskTask<Label> MaskBuffers::task() const {
  const int64_t height = logits_.size(2), width = logits_.size(3);
  return {.photos = static_cast<int>(logits_.size(0)),
          .classes = static_cast<int>(logits_.size(1)),
          .rows = stretch(height, labels_.size(1)),
          .columns = stretch(width, labels_.size(2)),
          .tile_height = static_cast<int>(tile_height()),
          .tile_width = static_cast<int>(tile_width()),
          .tiles_down = static_cast<int>(ceil_div(height, tile_height())),
          .tiles_across = static_cast<int>(ceil_div(width, tile_width())),
          .all_maps = labels_.scalar_type() == at::kChar,
          .logits = logits_.const_data_ptr<float>(),
          .labels = labels_.const_data_ptr<Label>(),
          .counts = counts_.mutable_data_ptr<int>(),
          .tile_sums = tile_sums_.mutable_data_ptr<float>(),
          .tile_gradients = tile_gradients_.mutable_data_ptr<float>(),
          .sums = sums_.mutable_data_ptr<float>(),
          .gradients = gradients_.mutable_data_ptr<float>()};
}

template MaskTask<int64_t> MaskBuffers::task() const;
template MaskTask<int8_t> MaskBuffers::task() const;

MaskMaps MaskBuffers::maps() const {
  const auto by_sum = [](const at::Tensor& all) -> MapSums<at::Tensor> {
    return {all[0], all[1], all[2]};
  };
  return {by_sum(sums_), by_sum(gradients_), counts_};
}

}  // namespace tagclip
