#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <vector>

#include "clip/clip.h"
#include "clip/packed_tower.h"
#include "model/config.h"
#include "model/dense_model.h"
#include "model/dropout.h"

namespace tagclip {

// Encodes by CLIP's vision tower tuned with deep visual prompts (spec section 2), as training sees
// it. Keys are under `backbone`; only the prompt_* and deep_prompt_* ones are trained. Copies share
// the weights.
//
// Most prompts are keys and values only: the next layer replaces or drops them, so what a layer
// computes in their place is never read.
class PromptedEncoder {
 public:
  PromptedEncoder(const ParameterScope& scope, const ModelConfig& config);

  // `pixels` are [B, 3, H, W], normalised; H and W at least one patch. Pixels beyond whole patches
  // are not read.
  Encoding operator()(const at::Tensor& pixels, const Dropout& dropout = {}) const;

  // Holds the contribution of the prompts, which does not depend on the image.
  struct Prefix {
    // There is one entry per layer, from the first, with its prompts' keys and values.
    std::vector<KeysValues> keys_values;
    // These prompts, [B or 1, P, D], join the tokens of the layer after these and stay to the last
    // (ModelConfig::carries_prompts); undefined where there are none.
    at::Tensor carried;
  };
  // Computes the prefix. With dropout every image of the batch has a prefix of its own.
  Prefix prefix(int64_t batch, const Dropout& dropout) const;
  Encoding encode(const at::Tensor& pixels, const Prefix& prefix) const;

  // Returns the first block's input, after ln_pre: class token and patches, [B, 1 + N, D].
  at::Tensor embed(const at::Tensor& pixels) const;
  const Transformer& transformer() const { return transformer_; }

 private:
  friend class PackedPromptedEncoder;

  // The first block's input is ln_pre of [first; patches + positions].
  struct Stem {
    Stem(const ParameterScope& scope, const ClipConfig& config);
    struct Positions {
      at::Tensor first;    // [D]
      at::Tensor patches;  // [H' W', D]
    };
    Positions positions(int64_t height, int64_t width) const;  // H', W'

    at::Tensor class_embedding, positional_embedding;
    LayerNorm ln_pre;
  };
  struct Prompts {
    Prompts(const ParameterScope& scope, const ModelConfig& config);
    at::Tensor shallow;  // [1, P, D], of the first layer
    at::Tensor deep;     // [prompted layers - 1, P, D]; undefined where that is none
    Linear proj;
    LayerNorm norm;
  };

  // Returns the prompts of a layer, projected, [B or 1, P, D].
  at::Tensor prompts(int64_t layer, int64_t batch, const Dropout& dropout) const;

  at::Tensor conv1_;
  Stem stem_;
  Transformer transformer_;
  LayerNorm ln_post_;
  at::Tensor proj_;
  std::optional<Prompts> prompts_;
  int64_t prefixed_layers_ = 0;  // layers whose prompts are keys and values only
  bool carries_prompts_ = false;
  bool applies_prompt_norm_ = false;
};

// Encodes with weights that are final: the prefix of the prompts is computed once.
class FrozenPromptedEncoder : public PatchEncoder {
 public:
  FrozenPromptedEncoder(PromptedEncoder encoder, EncoderInfo info);

  Encoding operator()(const at::Tensor& pixels, const EncodeOptions& options) const override;
  Packer packer() const override;

 private:
  PromptedEncoder encoder_;
  PromptedEncoder::Prefix prefix_;
};

// Encodes for inference on CPUs, with matrices packed for a precision.
class PackedPromptedEncoder : public PatchEncoder {
 public:
  // `prefix` is that of one image, without dropout. Takes the blocks out of the encoder one by one:
  // weights that nobody else holds are freed as soon as they are packed. Throws Error(kUsage) where
  // the precision does not run here.
  PackedPromptedEncoder(PromptedEncoder encoder, const PromptedEncoder::Prefix& prefix,
                        const EncoderInfo& info, GemmPrecision precision);

  Encoding operator()(const at::Tensor& pixels, const EncodeOptions& options) const override;

 private:
  PromptedEncoder::Stem stem_;
  LayerNorm ln_post_;
  std::optional<LayerNorm> prompt_norm_;  // where it is applied
  at::Tensor carried_;                    // see PromptedEncoder::Prefix
  PackedTower tower_;
  std::vector<at::Tensor> prefix_kv_;  // per layer, as its packed block reads them
};

}  // namespace tagclip
