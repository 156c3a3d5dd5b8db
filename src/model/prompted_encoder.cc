#include "model/prompted_encoder.h"

#include <ATen/core/grad_mode.h>

#include <cmath>

#include "base/error.h"
#include "model/start_values.h"

namespace tagclip {
namespace {

at::Tensor deep_prompts(const ParameterScope& scope, const ModelConfig& config) {
  const int64_t layers = config.prompted_layers() - 1;
  if (layers == 0) return {};
  return scope.add("deep_prompt_embeddings", {layers, config.prompts, config.clip.vision_width},
                   prompt_start(config.clip));
}

void check_sides(const at::Tensor& pixels, int64_t patch) {
  TAGCLIP_CHECK(pixels.size(2) >= patch && pixels.size(3) >= patch, "image smaller than a patch");
}

}  // namespace

PromptedEncoder::Stem::Stem(const ParameterScope& scope, const ClipConfig& config)
    : class_embedding(scope.add("class_embedding", {config.vision_width}, normal(0.02))),
      positional_embedding(scope.add("positional_embedding",
                                     {1 + config.grid() * config.grid(), config.vision_width},
                                     normal(0.02))),
      ln_pre(scope / "ln_pre", config.vision_width) {}

PromptedEncoder::Stem::Positions PromptedEncoder::Stem::positions(int64_t height,
                                                                  int64_t width) const {
  const at::Tensor positions = resize_positions(positional_embedding, height, width);
  // The class embedding is added twice: as the token and in its position (spec section 2.2).
  return {positions[0] + class_embedding + class_embedding, positions.narrow(0, 1, height * width)};
}

PromptedEncoder::Prompts::Prompts(const ParameterScope& scope, const ModelConfig& config)
    : shallow(scope.add("prompt_embeddings", {1, config.prompts, config.clip.vision_width},
                        prompt_start(config.clip))),
      deep(deep_prompts(scope, config)),
      proj(prompt_projection(scope / "prompt_proj", config.clip)),
      norm(scope / "prompt_norm", config.clip.vision_width, 1e-6) {}

PromptedEncoder::PromptedEncoder(const ParameterScope& scope, const ModelConfig& config)
    : conv1_((scope / "conv1")
                 .add("weight", {config.clip.vision_width, 3, config.clip.patch, config.clip.patch},
                      normal(0.02))),
      stem_(scope, config.clip),
      transformer_(scope / "transformer", config.clip.vision_width, config.clip.vision_mlp_width(),
                   config.clip.vision_layers, config.clip.vision_heads, config.clip.activation),
      ln_post_(scope / "ln_post", config.clip.vision_width),
      proj_(scope.add("proj", {config.clip.vision_width, config.clip.embedding},
                      normal(1 / std::sqrt(config.clip.vision_width)))) {
  if (config.prompts == 0) return;
  prompts_.emplace(scope, config);
  carries_prompts_ = config.carries_prompts();
  prefixed_layers_ = config.prompted_layers() - (carries_prompts_ ? 1 : 0);
  applies_prompt_norm_ = config.applies_prompt_norm();
}

at::Tensor PromptedEncoder::embed(const at::Tensor& pixels) const {
  const Stem::Positions positions =
      stem_.positions(pixels.size(2) / conv1_.size(2), pixels.size(3) / conv1_.size(2));
  const at::Tensor patches = embed_patches(pixels, conv1_) + positions.patches;
  return stem_.ln_pre(at::cat({positions.first.expand({pixels.size(0), 1, -1}), patches}, 1));
}

at::Tensor PromptedEncoder::prompts(int64_t layer, int64_t batch, const Dropout& dropout) const {
  const at::Tensor embeddings =
      layer == 0 ? prompts_->shallow : prompts_->deep.narrow(0, layer - 1, 1);
  const at::Tensor projected = prompts_->proj(embeddings);  // [1, P, D]
  return dropout.active() ? dropout(projected.expand({batch, -1, -1})) : projected;
}

PromptedEncoder::Prefix PromptedEncoder::prefix(int64_t batch, const Dropout& dropout) const {
  Prefix prefix;
  for (int64_t layer = 0; layer < prefixed_layers_; ++layer) {
    prefix.keys_values.push_back(
        transformer_.resblocks[layer].prompt_keys(prompts(layer, batch, dropout)));
  }
  if (carries_prompts_) prefix.carried = prompts(prefixed_layers_, batch, dropout);
  return prefix;
}

Encoding PromptedEncoder::encode(const at::Tensor& pixels, const Prefix& prefix) const {
  check_sides(pixels, conv1_.size(2));
  at::Tensor x = embed(pixels);
  const int64_t tokens = x.size(1), prefixed = std::ssize(prefix.keys_values);
  for (int64_t layer = 0; layer < std::ssize(transformer_.resblocks); ++layer) {
    const ResidualBlock& block = transformer_.resblocks[layer];
    if (layer < prefixed) {
      x = block(x, prefix.keys_values[layer]);
      continue;
    }
    if (layer == prefixed && prefix.carried.defined()) {
      x = at::cat({x, prefix.carried.expand({x.size(0), -1, -1})}, 1);
    }
    x = block(x, /*causal=*/false);
  }
  x = x.narrow(1, 0, tokens);
  if (applies_prompt_norm_) x = prompts_->norm(x);
  return encoding_of(ln_post_(x).matmul(proj_), pixels, conv1_.size(2));
}

Encoding PromptedEncoder::operator()(const at::Tensor& pixels, const Dropout& dropout) const {
  return encode(pixels, prefix(pixels.size(0), dropout));
}

namespace {

PromptedEncoder::Prefix final_prefix(const PromptedEncoder& encoder) {
  const at::NoGradGuard no_grad;
  return encoder.prefix(1, {});
}

}  // namespace

FrozenPromptedEncoder::FrozenPromptedEncoder(PromptedEncoder encoder, EncoderInfo info)
    : PatchEncoder(std::move(info)),
      encoder_(std::move(encoder)),
      prefix_(final_prefix(encoder_)) {}

Encoding FrozenPromptedEncoder::operator()(const at::Tensor& pixels,
                                           const EncodeOptions& options) const {
  TAGCLIP_CHECK(options.joined.empty(), "prompted windows stand alone");
  return encoder_.encode(pixels, prefix_);
}

PatchEncoder::Packer FrozenPromptedEncoder::packer() const {
  return [encoder = encoder_, prefix = prefix_, info = info](GemmPrecision precision) mutable {
    return std::make_shared<PackedPromptedEncoder>(std::move(encoder), prefix, info, precision);
  };
}

PackedPromptedEncoder::PackedPromptedEncoder(PromptedEncoder encoder,
                                             const PromptedEncoder::Prefix& prefix,
                                             const EncoderInfo& info, GemmPrecision precision)
    : PatchEncoder(info),
      stem_(encoder.stem_),
      ln_post_(encoder.ln_post_),
      carried_(prefix.carried),
      tower_(encoder.conv1_, std::move(encoder.transformer_), encoder.proj_, precision) {
  if (encoder.applies_prompt_norm_) prompt_norm_ = encoder.prompts_->norm;
  for (size_t layer = 0; layer < prefix.keys_values.size(); ++layer) {
    prefix_kv_.push_back(tower_.blocks()[layer].prefix_kv(prefix.keys_values[layer]));
  }
}

Encoding PackedPromptedEncoder::operator()(const at::Tensor& pixels,
                                           const EncodeOptions& options) const {
  TAGCLIP_CHECK(options.joined.empty(), "prompted windows stand alone");
  const int64_t patch = info.clip.patch;
  check_sides(pixels, patch);
  const auto [first, positions] = stem_.positions(pixels.size(2) / patch, pixels.size(3) / patch);
  const int64_t batch = pixels.size(0), tokens = 1 + positions.size(0);
  const size_t layers = tower_.blocks().size(), prefixed = prefix_kv_.size();
  const auto projected = [&](PackedTower::Pass& pass) {
    if (prompt_norm_) pass.apply(*prompt_norm_);
    return pass.project(ln_post_);
  };
  PackedTower::Pass pass(tower_, batch, tokens);
  pass.embed(pixels, first, positions, stem_.ln_pre);
  if (!carried_.defined()) {
    pass.run(0, layers, prefix_kv_);
    return encoding_of(projected(pass), pixels, patch);
  }
  pass.run(0, prefixed, prefix_kv_);
  const int64_t carried = carried_.size(1);
  PackedTower::Pass longer(tower_, batch, tokens + carried);
  longer.tokens().narrow(1, 0, tokens).copy_(pass.tokens());
  longer.tokens().narrow(1, tokens, carried).copy_(carried_.expand({batch, -1, -1}));
  longer.run(prefixed, layers, {});
  return encoding_of(projected(longer).narrow(1, 0, tokens), pixels, patch);
}

}  // namespace tagclip
