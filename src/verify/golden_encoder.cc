#include <ATen/core/grad_mode.h>

#include "verify/golden_trace.h"

namespace tagclip {
namespace {

constexpr std::string_view kVision = "visual.", kImage = "in.image_";

StateDict vision_tower(const StateDict& clip) {
  StateDict result{clip.source, {}};
  for (const auto& [name, tensor] : clip.tensors) {
    if (name.starts_with(kVision))
      result.tensors.emplace("backbone." + name.substr(kVision.size()), tensor);
  }
  return result;
}

void trace_image(const ImageEncoder& encoder, const at::Tensor& pixels, const std::string& prefix,
                 NamedTensors& values) {
  at::Tensor x = encoder.embed(pixels);
  const std::vector<ResidualBlock>& blocks = encoder.transformer().resblocks;
  for (size_t i = 0; i < blocks.size(); ++i) {
    x = blocks[i](x, /*causal=*/false);
    values[prefix + "hidden." + std::to_string(i)] = x;
  }
  const Encoding encoding = encoder(pixels);
  values[prefix + "patch_embedding"] = patch_map(encoding);
  values[prefix + "global_embedding"] = encoding.image;
}

}  // namespace

at::Tensor patch_map(const Encoding& encoding) {
  return encoding.patches.transpose(1, 2).unflatten(2, {encoding.height, encoding.width});
}

NamedTensors trace_image_encoder(const StateDict& clip, const ClipConfig& config,
                                 const StateDict& expected) {
  at::NoGradGuard no_grad;
  ParameterList parameters;
  const ImageEncoder encoder(ParameterScope(parameters, "backbone"),
                             {.clip = config, .prompts = 0});
  load(parameters, vision_tower(clip));
  const at::Tensor& positions = *parameters.find("backbone.positional_embedding");

  NamedTensors values;
  for (const auto& [name, tensor] : expected.tensors) {
    if (!name.starts_with(kImage)) continue;
    const std::string image = name.substr(kImage.size());
    const at::Tensor pixels = read_golden_image(expected, name, config.patch);
    trace_image(encoder, pixels, "tagclip_" + image + ".", values);
    values["tagclip.positional_embedding_resized_to_" + image] =
        resize_positions(positions, pixels.size(2) / config.patch, pixels.size(3) / config.patch);
  }
  return values;
}

}  // namespace tagclip
