#include "model/dense_clip.h"

#include <c10/core/InferenceMode.h>

#include "clip/fingerprint.h"

namespace tagclip {
namespace {

// softmax(x x' / sqrt(head)) v
at::Tensor attend_to_alike(const at::Tensor& x, const at::Tensor& values) {
  return at::scaled_dot_product_attention(x, x, values);
}

}  // namespace

at::Tensor dense_attention(const SelfAttention& attention, const at::Tensor& x,
                           DenseAttention kind) {
  if (kind == DenseAttention::kValue) {
    const int64_t width = x.size(2);
    const at::Tensor values = at::linear(x, attention.in_proj_weight.narrow(0, 2 * width, width),
                                         attention.in_proj_bias.narrow(0, 2 * width, width));
    return attention.out_proj(values);
  }
  const auto [queries, keys, values] = attention.split(x);
  const at::Tensor mixed = attend_to_alike(queries, values) + attend_to_alike(keys, values);
  return attention.out_proj(mixed.transpose(1, 2).flatten(2));
}

DenseClip::DenseClip(Clip moved, DenseAttention kind) : clip(std::move(moved)), attention(kind) {}

std::shared_ptr<const DenseModel> DenseClip::packed(MatrixPrecision precision) const {
  const c10::InferenceMode no_gradients;
  auto result = std::make_shared<DenseClip>(*this);
  const VisionTower& visual = clip.visual;
  result->tower_ =
      std::make_shared<PackedTower>(visual.conv1, visual.transformer, visual.proj, precision);
  return result;
}

at::Tensor DenseClip::encode_packed(const at::Tensor& pixels) const {
  const VisionTower& visual = clip.visual;
  at::Tensor x = visual.add_positions(tower_->embed_patches(pixels), pixels);
  PackedTower::Borrowed buffers(*tower_, x.size(0), x.size(1));
  const std::vector<PackedBlock>& blocks = tower_->blocks();
  for (size_t i = 0; i + 1 < blocks.size(); ++i) blocks[i](x, {}, *buffers);
  const ResidualBlock& last = visual.transformer.resblocks.back();
  x += dense_attention(last.attn, last.ln_1(x), attention);
  blocks.back().add_mlp(x, *buffers);
  return tower_->project(x, visual.ln_post);
}

Encoding DenseClip::encode(const at::Tensor& pixels) const {
  const VisionTower& visual = clip.visual;
  const auto plain = [&] {
    const std::vector<ResidualBlock>& blocks = visual.transformer.resblocks;
    at::Tensor x = visual.embed(pixels);
    for (size_t i = 0; i + 1 < blocks.size(); ++i) x = blocks[i](x, /*causal=*/false);
    const ResidualBlock& last = blocks.back();
    x = last.add_mlp(x + dense_attention(last.attn, last.ln_1(x), attention));
    return visual.ln_post(x).matmul(visual.proj);
  };
  const at::Tensor embeddings = unit(tower_ ? encode_packed(pixels) : plain());  // [B, 1 + N, d]
  const int64_t patch = clip.config.patch;
  return {embeddings.narrow(1, 1, embeddings.size(1) - 1), embeddings.select(1, 0),
          pixels.size(2) / patch, pixels.size(3) / patch};
}

MaskLogits DenseClip::decode(const Encoding& encoding, const at::Tensor& text) const {
  const at::Tensor cosines = at::matmul(text, encoding.patches.transpose(1, 2));  // [B, C, N]
  return {.classes =
              (clip.logit_scale.exp() * cosines).unflatten(2, {encoding.height, encoding.width})};
}

std::string DenseClip::encoder_fingerprint() const {
  std::vector<at::Tensor> tensors = {
      at::tensor({clip.config.vision_heads, static_cast<int64_t>(clip.config.activation),
                  static_cast<int64_t>(attention)},
                 at::kLong)};
  for (const Parameter& parameter : clip.parameters.all()) {
    if (parameter.name.starts_with("visual.")) tensors.push_back(parameter.tensor);
  }
  return fingerprint(tensors);
}

}  // namespace tagclip
