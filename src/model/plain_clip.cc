#include "model/plain_clip.h"

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
  return attention.out_proj(merge_heads(mixed));
}

namespace {

EncoderInfo info_of(const Clip& clip, DenseAttention attention) {
  std::vector<at::Tensor> tensors = {
      at::tensor({clip.config.vision_heads, static_cast<int64_t>(clip.config.activation),
                  static_cast<int64_t>(attention)},
                 at::kLong)};
  for (const Parameter& parameter : clip.parameters.all()) {
    if (parameter.name.starts_with("visual.")) tensors.push_back(parameter.tensor);
  }
  return {.device = clip.logit_scale.device(),
          .clip = clip.config,
          .normalization = normalization_of(clip.config.pixel_statistics),
          .windows = {clip.config.resolution, 0.5, 1.5},
          .fingerprint = std::make_shared<Fingerprint>(std::move(tensors))};
}

}  // namespace

PlainClipEncoder::PlainClipEncoder(VisionTower tower, DenseAttention attention, EncoderInfo info)
    : PatchEncoder(std::move(info)), tower_(std::move(tower)), attention_(attention) {}

Encoding PlainClipEncoder::operator()(const at::Tensor& pixels) const {
  const std::vector<ResidualBlock>& blocks = tower_.transformer.resblocks;
  at::Tensor x = tower_.embed(pixels);
  for (size_t i = 0; i + 1 < blocks.size(); ++i) x = blocks[i](x, /*causal=*/false);
  const ResidualBlock& last = blocks.back();
  x = last.add_mlp(x + dense_attention(last.attn, last.ln_1(x), attention_));
  return encoding_of(tower_.ln_post(x).matmul(tower_.proj), pixels, info.clip.patch);
}

PatchEncoder::Packer PlainClipEncoder::packer() const {
  return [tower = tower_, attention = attention_, info = info](GemmPrecision precision) mutable {
    return std::make_shared<PackedPlainClipEncoder>(std::move(tower), attention, info, precision);
  };
}

PackedPlainClipEncoder::PackedPlainClipEncoder(VisionTower tower, DenseAttention attention,
                                               const EncoderInfo& info, GemmPrecision precision)
    : PatchEncoder(info),
      attention_(attention),
      class_embedding_(tower.class_embedding),
      positional_embedding_(tower.positional_embedding),
      ln_pre_(tower.ln_pre),
      ln_post_(tower.ln_post),
      last_norm_(tower.transformer.resblocks.back().ln_1),
      last_attention_(tower.transformer.resblocks.back().attn),
      tower_(tower.conv1, std::move(tower.transformer), tower.proj, precision) {}

Encoding PackedPlainClipEncoder::operator()(const at::Tensor& pixels) const {
  const int64_t patch = info.clip.patch;
  const at::Tensor positions = resize_positions(positional_embedding_, pixels.size(2) / patch,
                                                pixels.size(3) / patch);  // [1 + N, D]
  const int64_t tokens = positions.size(0);
  PackedTower::Pass pass(tower_, pixels.size(0), tokens);
  pass.embed(pixels, class_embedding_ + positions[0], positions.narrow(0, 1, tokens - 1), ln_pre_);
  const size_t last = tower_.blocks().size() - 1;
  pass.run(0, last, {});
  pass.tokens() += dense_attention(last_attention_, last_norm_(pass.tokens()), attention_);
  pass.add_mlp(last);
  return encoding_of(pass.project(ln_post_), pixels, patch);
}

MaskLogits CosineDecoder::operator()(const Encoding& encoding, const at::Tensor& text,
                                     const DecodeOptions& /*options*/) const {
  const at::Tensor cosines = at::matmul(text, encoding.patches.transpose(1, 2));  // [B, C, N]
  return {.classes =
              (logit_scale_.exp() * cosines).unflatten(2, {encoding.height, encoding.width})};
}

DenseModel plain_clip(const Clip& clip, DenseAttention attention) {
  return {.encoder =
              std::make_shared<PlainClipEncoder>(clip.visual, attention, info_of(clip, attention)),
          .decoder = std::make_shared<CosineDecoder>(clip.logit_scale),
          .scoring = {.activation = ScoreActivation::kSoftmax, .calibrated_stacking = false}};
}

}  // namespace tagclip
