#include "model/dense_clip.h"

#include <c10/core/InferenceMode.h>

#include "base/error.h"
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

void DenseClip::pack(GemmPrecision precision) {
  check_runs_here(precision, device());
  TAGCLIP_CHECK(!tower_, "an encoder is packed once");
  const c10::InferenceMode no_gradients;
  packed_fingerprint_ = encoder_fingerprint();
  clip.parameters.forget("visual.");
  VisionTower& visual = clip.visual;
  last_attention_ = visual.transformer.resblocks.back().attn;
  tower_ = std::make_shared<PackedTower>(visual.conv1, visual.transformer, visual.proj, precision);
  visual.conv1 = visual.proj = at::Tensor();
}

at::Tensor DenseClip::encode_packed(const at::Tensor& pixels) const {
  const VisionTower& visual = clip.visual;
  const int64_t patch = clip.config.patch;
  const at::Tensor positions = resize_positions(visual.positional_embedding, pixels.size(2) / patch,
                                                pixels.size(3) / patch);  // [1 + N, D]
  const int64_t tokens = positions.size(0);
  PackedTower::Pass pass(*tower_, pixels.size(0), tokens);
  pass.embed(pixels, visual.class_embedding + positions[0], positions.narrow(0, 1, tokens - 1),
             visual.ln_pre);
  const size_t last = tower_->blocks().size() - 1;
  pass.run(0, last, {});
  const LayerNorm& norm = visual.transformer.resblocks[last].ln_1;
  pass.tokens() += dense_attention(*last_attention_, norm(pass.tokens()), attention);
  pass.add_mlp(last);
  return pass.project(visual.ln_post);
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

MaskLogits DenseClip::decode(const Encoding& encoding, const at::Tensor& text,
                             const DecodeOptions& /*options*/) const {
  const at::Tensor cosines = at::matmul(text, encoding.patches.transpose(1, 2));  // [B, C, N]
  return {.classes =
              (clip.logit_scale.exp() * cosines).unflatten(2, {encoding.height, encoding.width})};
}

std::string DenseClip::encoder_fingerprint() const {
  if (!packed_fingerprint_.empty()) return packed_fingerprint_;
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
