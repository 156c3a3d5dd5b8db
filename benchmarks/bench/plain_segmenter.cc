#include "bench/plain_segmenter.h"

#include <c10/core/InferenceMode.h>

#include "data/image_ops.h"
#include "infer/sliding_segmenter.h"

namespace tagclip::bench {
namespace {

at::Tensor channels(const std::array<double, 3>& values) {
  return at::tensor(at::ArrayRef<double>(values), at::kFloat);
}

at::Tensor probabilities(const at::Tensor& maps, const Image& photo) {
  return at::upsample_bilinear2d(maps, {photo.height, photo.width}, /*align_corners=*/false)
      .sigmoid();
}

}  // namespace

PlainSegmenter::PlainSegmenter(const SegmentationModel& model, const EmbeddedVocabulary& vocabulary)
    : model_(model.config, parameters_by_name(model)), text_(vocabulary.embeddings) {
  seen_ = at::empty({static_cast<int64_t>(vocabulary.seen.size()), 1, 1}, at::kBool);
  for (size_t c = 0; c < vocabulary.seen.size(); ++c)
    seen_.data_ptr<bool>()[c] = vocabulary.seen[c];
  deduction_ = seen_.to(at::kFloat) * (vocabulary.inductive ? kReleasedSeenBias : 0);
}

at::Tensor PlainSegmenter::pixels(const Image& photo) const {
  const PixelNormalization normalization;  // of pixels from 0 to 1
  const at::Tensor bytes = at::from_blob(const_cast<uint8_t*>(photo.pixels.data()),
                                         {1, photo.height, photo.width, 3}, at::kByte);
  const at::Tensor values = (bytes.to(at::kFloat) - 255 * channels(normalization.mean)) /
                            (255 * channels(normalization.std));
  return values.permute({0, 3, 1, 2}).contiguous();
}

MaskLogits PlainSegmenter::logits(const Image& photo) const { return model_(pixels(photo), text_); }

at::Tensor PlainSegmenter::operator()(const Image& photo) const {
  const c10::InferenceMode no_gradients;
  const MaskLogits maps = logits(photo);
  const at::Tensor scores = probabilities(maps.classes, photo) - deduction_;  // [1, C, H, W]
  const at::Tensor novel = probabilities(maps.trusty, photo);                 // [1, 1, H, W]
  return (scores * at::where(seen_, 1 - novel, novel)).argmax(1).squeeze(0);
}

}  // namespace tagclip::bench
