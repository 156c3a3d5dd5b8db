#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <optional>
#include <vector>

#include "clip/clip.h"
#include "clip/packed_tower.h"
#include "model/config.h"
#include "model/dense_model.h"
#include "model/dropout.h"

namespace tagclip {

// CLIP's vision tower tuned with deep visual prompts (spec section 2). Keys under `backbone`; only
// the prompt_* and deep_prompt_* ones are meant to be trained.
class ImageEncoder {
 public:
  ImageEncoder(const ParameterScope& scope, const ModelConfig& config);

  // pixels [B, 3, H, W], normalised; H and W at least one patch, what is left of them beyond whole
  // patches is not seen.
  Encoding operator()(const at::Tensor& pixels, const Dropout& dropout = {}) const;

  // Prompt keys and values depend on no photo. Computes them once and keeps them for every later
  // call; to be called when the weights are final.
  void freeze();
  // The same, and packs the weights for this precision, letting go of those that they were made of:
  // on CPUs, and without dropout from then on. Throws Error(kUsage) where the precision does not
  // run here.
  void freeze(GemmPrecision precision);

  // What the first block reads, after ln_pre: class token and patches, [B, 1 + N, D].
  at::Tensor embed(const at::Tensor& pixels) const;
  const Transformer& transformer() const { return transformer_; }
  int64_t patch() const { return patch_; }

 private:
  at::Tensor prompts(size_t layer, int64_t batch, const Dropout& dropout) const;  // [B or 1, P, D]
  KeysValues prompt_keys(size_t layer, int64_t batch, const Dropout& dropout) const;
  at::Tensor carried_prompts(int64_t batch, const Dropout& dropout) const;  // [B, P, D]
  // What is added to a photo's patches, [N, D], and what comes before them, [D].
  struct Positions {
    at::Tensor first, patches;
  };
  Positions positions_for(const at::Tensor& pixels) const;
  // embed's result -> after the blocks, [B, 1 + N (+ P), D].
  at::Tensor run_blocks(at::Tensor x, const Dropout& dropout) const;
  // Class token and patches, [B, 1 + N, d], before they are made unit vectors.
  at::Tensor encode(const at::Tensor& pixels, const Dropout& dropout) const;
  at::Tensor encode_packed(const at::Tensor& pixels) const;

  int64_t patch_;
  at::Tensor conv1_, class_embedding_, positional_embedding_;
  LayerNorm ln_pre_;
  Transformer transformer_;
  LayerNorm ln_post_;
  at::Tensor proj_;

  struct Prompts {
    Prompts(const ParameterScope& scope, const ModelConfig& config);
    at::Tensor first;  // [1, P, D]
    at::Tensor deep;   // [prompted layers - 1, P, D]; undefined where that is none
    Linear proj;
    LayerNorm norm;
  };
  std::optional<Prompts> prompts_;
  // Layers, from the first, whose prompts the next layer replaces or drops: what such a layer
  // computes at their places is never read, so they are keys and values only.
  size_t replaced_ = 0;
  // Whether the next layer has prompts that are tokens like any other, up to the last layer.
  bool carried_ = false;
  bool prompt_norm_ = false;

  struct FrozenPrompts {
    std::vector<KeysValues> keys;  // by layer, of the `replaced_` ones
    at::Tensor carried;            // [1, P, D]; undefined without
  };
  std::optional<FrozenPrompts> frozen_;  // by freeze()

  struct Packed {
    PackedTower tower;
    std::vector<at::Tensor> keys;  // FrozenPrompts' as its blocks read them
  };
  std::shared_ptr<const Packed> packed_;  // by freeze(precision)
};

}  // namespace tagclip
