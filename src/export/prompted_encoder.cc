#include "export/prompted_encoder.h"

#include <ATen/core/grad_mode.h>

namespace tagclip {

using onnx::concat;
using onnx::Value;

namespace {

const std::string kTower = "backbone";

// The class embedding is added twice; see PromptedEncoder::Stem.
at::Tensor first_token(const GraphBuilder& build) {
  const at::Tensor& class_embedding = build.parameter(kTower + ".class_embedding");
  return build.parameter(kTower + ".positional_embedding")[0] + class_embedding + class_embedding;
}

Value with_carried(const GraphBuilder& build, const PatchGrid& grid, const at::Tensor& carried,
                   const Value& tokens) {
  const Value once_each =
      concat({grid.batch, build.graph().constant(std::vector<int64_t>{1, 1})}, 0);
  return concat({tokens, expand(build.constant(kTower + ".carried_prompts", carried), once_each)},
                1);
}

}  // namespace

EncodingValues prompted_encoding(const GraphBuilder& build, const SegmentationModel& model,
                                 const Value& pixels) {
  const at::NoGradGuard no_grad;
  const ModelConfig& config = model.config;
  const BlockSizes sizes = block_sizes(config.clip);
  const PromptedEncoder::Prefix prefix = model.encoder.prefix(1, {});
  const PatchGrid grid = patch_grid(build, kTower, config.clip, pixels, PositionResize::kBilinear);
  Value x = tokens_of(build, kTower, grid, kTower + ".first_token", first_token(build));
  const int64_t prefixed = std::ssize(prefix.keys_values);
  for (int64_t layer = 0; layer < config.clip.vision_layers; ++layer) {
    const std::string block = block_name(kTower, layer);
    if (layer < prefixed) {
      const KeysValues& prompts = prefix.keys_values[layer];
      x = residual_block(build, block, sizes, x,
                         PrefixValues{build.constant(block + ".prompt_keys", prompts.keys),
                                      build.constant(block + ".prompt_values", prompts.values)});
      continue;
    }
    if (layer == prefixed && prefix.carried.defined()) {
      x = with_carried(build, grid, prefix.carried, x);
    }
    x = residual_block(build, block, sizes, x);
  }
  if (prefix.carried.defined()) x = slice(x, 1, 0, -config.prompts);
  if (config.applies_prompt_norm()) x = build.layer_norm(kTower + ".prompt_norm", x, 1e-6);
  return encoding_of(build, kTower, grid, x);
}

}  // namespace tagclip
