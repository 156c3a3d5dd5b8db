#include "kernels/mask_loss/device_buffers.h"

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace tagclip {
namespace {

constexpr int64_t kMaxTileWidth = 64;

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace

MaskLossBuffers::MaskLossBuffers(const at::Tensor& logits, const at::Tensor& labels)
    : logits_(logits.detach().contiguous()), labels_(labels.contiguous()) {
  const int64_t images = logits.size(0), classes = logits.size(1);
  const int64_t height = logits.size(2), width = logits.size(3);
  TAGCLIP_CHECK(
      std::max({height, width, labels.size(1), labels.size(2)}) <= std::numeric_limits<int>::max(),
      "mask_sums: a side has more than 2^31 - 1 pixels");
  const int64_t tiles = ceil_div(height, tile_height()) * ceil_div(width, tile_width());
  const auto floats = logits_.options();
  counts_ = at::zeros({images, classes}, floats.dtype(at::kInt));
  tile_sums_ = at::empty({kMaskSums, images * classes, tiles}, floats);
  tile_gradients_ =
      at::empty({kMaskSums, images * classes, tiles, tile_height() + 2, tile_width() + 2}, floats);
  sums_ = at::empty({kMaskSums, images, classes}, floats);
  gradients_ = at::empty({kMaskSums, images, classes, height, width}, floats);
}

int64_t MaskLossBuffers::tile_width() const {
  const int64_t width = logits_.size(3);
  return ceil_div(width, ceil_div(width, kMaxTileWidth));
}

int64_t MaskLossBuffers::tile_height() const {
  return std::min(kMaskThreads / tile_width(), logits_.size(2));
}

template <typename Label>
MaskLossParams<Label> MaskLossBuffers::params() const {
  const int64_t height = logits_.size(2), width = logits_.size(3);
  return {.images = static_cast<int>(logits_.size(0)),
          .classes = static_cast<int>(logits_.size(1)),
          .rows = BilinearScale::of(height, labels_.size(1)),
          .columns = BilinearScale::of(width, labels_.size(2)),
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

template MaskLossParams<int64_t> MaskLossBuffers::params() const;
template MaskLossParams<int8_t> MaskLossBuffers::params() const;

MaskMaps MaskLossBuffers::maps() const {
  const auto by_sum = [](const at::Tensor& all) -> LossSums<at::Tensor> {
    return {all[0], all[1], all[2]};
  };
  return {by_sum(sums_), by_sum(gradients_), counts_};
}

}  // namespace tagclip
