#include "model/image_encoder.h"

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

}  // namespace

ImageEncoder::Prompts::Prompts(const ParameterScope& scope, const ModelConfig& config)
    : first(scope.add("prompt_embeddings", {1, config.prompts, config.clip.vision_width},
                      prompt_start(config.clip))),
      deep(deep_prompts(scope, config)),
      proj(prompt_projection(scope / "prompt_proj", config.clip)),
      norm(scope / "prompt_norm", config.clip.vision_width, 1e-6) {}

ImageEncoder::ImageEncoder(const ParameterScope& scope, const ModelConfig& config)
    : patch_(config.clip.patch),
      conv1_((scope / "conv1")
                 .add("weight", {config.clip.vision_width, 3, config.clip.patch, config.clip.patch},
                      normal(0.02))),
      class_embedding_(scope.add("class_embedding", {config.clip.vision_width}, normal(0.02))),
      positional_embedding_(scope.add(
          "positional_embedding",
          {1 + config.clip.grid() * config.clip.grid(), config.clip.vision_width}, normal(0.02))),
      ln_pre_(scope / "ln_pre", config.clip.vision_width),
      transformer_(scope / "transformer", config.clip.vision_width, config.clip.vision_mlp_width(),
                   config.clip.vision_layers, config.clip.vision_heads, config.clip.activation),
      ln_post_(scope / "ln_post", config.clip.vision_width),
      proj_(scope.add("proj", {config.clip.vision_width, config.clip.embedding},
                      normal(1 / std::sqrt(config.clip.vision_width)))) {
  if (config.prompts == 0) return;
  prompts_.emplace(scope, config);
  carried_ = config.carries_prompts();
  replaced_ = static_cast<size_t>(config.prompted_layers() - (carried_ ? 1 : 0));
  prompt_norm_ = config.applies_prompt_norm();
}

ImageEncoder::Positions ImageEncoder::positions_for(const at::Tensor& pixels) const {
  const int64_t height = pixels.size(2) / patch(), width = pixels.size(3) / patch();
  const at::Tensor positions = resize_positions(positional_embedding_, height, width);
  // The class embedding enters twice: once as the token, once in its position (spec section 2.2).
  return {positions[0] + class_embedding_ + class_embedding_,
          positions.narrow(0, 1, height * width)};
}

at::Tensor ImageEncoder::embed(const at::Tensor& pixels) const {
  const Positions positions = positions_for(pixels);
  const at::Tensor patches = embed_patches(pixels, conv1_) + positions.patches;
  return ln_pre_(at::cat({positions.first.expand({pixels.size(0), 1, -1}), patches}, 1));
}

at::Tensor ImageEncoder::prompts(size_t layer, int64_t batch, const Dropout& dropout) const {
  const at::Tensor embeddings =
      layer == 0 ? prompts_->first : prompts_->deep.narrow(0, static_cast<int64_t>(layer) - 1, 1);
  const at::Tensor projected = prompts_->proj(embeddings);  // [1, P, D]
  return dropout.active() ? dropout(projected.expand({batch, -1, -1})) : projected;
}

KeysValues ImageEncoder::prompt_keys(size_t layer, int64_t batch, const Dropout& dropout) const {
  if (frozen_) return frozen_->keys[layer];
  return transformer_.resblocks[layer].prompt_keys(prompts(layer, batch, dropout));
}

at::Tensor ImageEncoder::carried_prompts(int64_t batch, const Dropout& dropout) const {
  const at::Tensor tokens = frozen_ ? frozen_->carried : prompts(replaced_, batch, dropout);
  return tokens.expand({batch, -1, -1});
}

void ImageEncoder::freeze() {
  at::NoGradGuard no_grad;
  TAGCLIP_CHECK(!packed_, "what is packed is frozen");
  if (!prompts_) return;
  frozen_.reset();
  FrozenPrompts frozen;
  for (size_t layer = 0; layer < replaced_; ++layer) {
    frozen.keys.push_back(prompt_keys(layer, 1, {}));
  }
  if (carried_) frozen.carried = carried_prompts(1, {});
  frozen_ = std::move(frozen);
}

void ImageEncoder::freeze(GemmPrecision precision) {
  at::NoGradGuard no_grad;
  freeze();
  // A PackedTower stays where it was made.
  const std::shared_ptr<Packed> packed(new Packed{{conv1_, transformer_, proj_, precision}, {}});
  for (size_t layer = 0; layer < replaced_; ++layer) {
    packed->keys.push_back(packed->tower.blocks()[layer].keys_values(frozen_->keys[layer]));
  }
  packed_ = packed;
  conv1_ = proj_ = at::Tensor();
  if (frozen_) frozen_->keys.clear();
}

at::Tensor ImageEncoder::run_blocks(at::Tensor x, const Dropout& dropout) const {
  const int64_t batch = x.size(0);
  for (size_t layer = 0; layer < transformer_.resblocks.size(); ++layer) {
    const ResidualBlock& block = transformer_.resblocks[layer];
    if (layer < replaced_) {
      x = block(x, prompt_keys(layer, batch, dropout));
      continue;
    }
    if (carried_ && layer == replaced_) x = at::cat({x, carried_prompts(batch, dropout)}, 1);
    x = block(x, /*causal=*/false);
  }
  return x;
}

at::Tensor ImageEncoder::encode(const at::Tensor& pixels, const Dropout& dropout) const {
  at::Tensor x = embed(pixels);
  const int64_t own = x.size(1);  // class token and patches
  x = run_blocks(x, dropout);
  x = x.narrow(1, 0, own);
  if (prompt_norm_) x = prompts_->norm(x);
  return ln_post_(x).matmul(proj_);
}

at::Tensor ImageEncoder::encode_packed(const at::Tensor& pixels) const {
  const PackedTower& tower = packed_->tower;
  const size_t layers = tower.blocks().size();
  const Positions positions = positions_for(pixels);
  const int64_t batch = pixels.size(0), own = 1 + positions.patches.size(0);
  const auto finish = [&](PackedTower::Pass& pass) {
    if (prompt_norm_) pass.apply(prompts_->norm);
    return pass.project(ln_post_);
  };
  PackedTower::Pass pass(tower, batch, own);
  pass.embed(pixels, positions.first, positions.patches, ln_pre_);
  if (!carried_) {
    pass.run(0, layers, packed_->keys);
    return finish(pass);
  }
  pass.run(0, replaced_, packed_->keys);
  const at::Tensor carried = carried_prompts(batch, {});
  PackedTower::Pass longer(tower, batch, own + carried.size(1));
  longer.tokens().narrow(1, 0, own).copy_(pass.tokens());
  longer.tokens().narrow(1, own, carried.size(1)).copy_(carried);
  longer.run(replaced_, layers, {});
  return finish(longer).narrow(1, 0, own);
}

Encoding ImageEncoder::operator()(const at::Tensor& pixels, const Dropout& dropout) const {
  TAGCLIP_CHECK(pixels.size(2) >= patch() && pixels.size(3) >= patch(),
                "image smaller than a patch");
  TAGCLIP_CHECK(!packed_ || !dropout.active(), "packed weights are not trained");
  const at::Tensor embeddings =  // [B, 1 + N, d]
      unit(packed_ ? encode_packed(pixels) : encode(pixels, dropout));
  return {embeddings.narrow(1, 1, embeddings.size(1) - 1), embeddings.select(1, 0),
          pixels.size(2) / patch(), pixels.size(3) / patch()};
}

}  // namespace tagclip
