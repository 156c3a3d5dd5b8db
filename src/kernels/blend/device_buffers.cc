#include "kernels/blend/device_buffers.h"

namespace tagclip {
namespace {

static_assert(static_cast<uint8_t>(TrustyWeight::kSeen) == kWeighSeen);
static_assert(static_cast<uint8_t>(TrustyWeight::kNovel) == kWeighNovel);

at::Tensor corners_of(const WindowLayout& layout) {  // [K, 2]
  at::Tensor corners = at::empty({static_cast<int64_t>(layout.corners.size()), 2}, at::kInt);
  auto* to = corners.mutable_data_ptr<int32_t>();
  for (const auto& [top, left] : layout.corners) {
    *to++ = static_cast<int32_t>(top);
    *to++ = static_cast<int32_t>(left);
  }
  return corners;
}

at::Tensor weights_of(const ScoreRule& rule) {  // [C]
  at::Tensor weights = at::empty({static_cast<int64_t>(rule.weight.size())}, at::kByte);
  auto* to = weights.mutable_data_ptr<uint8_t>();
  for (const TrustyWeight weight : rule.weight) *to++ = static_cast<uint8_t>(weight);
  return weights;
}

const float* floats_of(const at::Tensor& values) {
  return values.defined() ? values.const_data_ptr<float>() : nullptr;
}

}  // namespace

BlendBuffers::BlendBuffers(const WindowLogits& logits, const WindowLayout& layout,
                           const ScoreRule& rule, Extent image)
    : layout_(layout),
      image_(image),
      softmax_(rule.activation == ScoreActivation::kSoftmax),
      trusty_means_seen_(rule.trusty_means_seen),
      classes_(logits.classes.contiguous()) {
  if (logits.trusty.defined()) trusty_ = logits.trusty.contiguous();
  if (logits.presence.defined()) presence_ = logits.presence.sigmoid().contiguous();
  const at::Device device = classes_.device();
  corners_ = corners_of(layout).to(device);
  seen_bias_ = at::tensor(rule.seen_bias, at::kFloat).to(device);
  weight_ = weights_of(rule).to(device);
  labels_ = at::empty({image.height, image.width}, classes_.options().dtype(at::kUInt16));
  scores_ = at::empty({image.height, image.width}, classes_.options());
}

BlendParams BlendBuffers::params() const {
  return {.windows = static_cast<int>(classes_.size(0)),
          .classes = static_cast<int>(classes_.size(1)),
          .rows = BilinearScale::of(classes_.size(2), layout_.window.height),
          .columns = BilinearScale::of(classes_.size(3), layout_.window.width),
          .image_rows = BilinearScale::of(layout_.resized.height, image_.height),
          .image_columns = BilinearScale::of(layout_.resized.width, image_.width),
          .softmax = softmax_,
          .trusty_means_seen = trusty_means_seen_,
          .tapered = layout_.tapered,
          .corners = corners_.const_data_ptr<int32_t>(),
          .logits = floats_of(classes_),
          .trusty = floats_of(trusty_),
          .presence = floats_of(presence_),
          .seen_bias = floats_of(seen_bias_),
          .weight = weight_.const_data_ptr<uint8_t>(),
          .labels = labels_.mutable_data_ptr<uint16_t>(),
          .scores = scores_.mutable_data_ptr<float>()};
}

BestClass BlendBuffers::result() const {
  const at::Tensor labels = labels_.cpu(), scores = scores_.cpu();
  const auto* label = labels.const_data_ptr<uint16_t>();
  const auto* score = scores.const_data_ptr<float>();
  return {image_, {label, label + labels.numel()}, {score, score + scores.numel()}};
}

}  // namespace tagclip
