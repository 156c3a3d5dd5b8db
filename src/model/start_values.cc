#include "model/start_values.h"

#include <cmath>

namespace tagclip {
namespace {

Initialiser head_weight(int64_t in, const ModelConfig& config) {
  return config.architecture == Architecture::kZegClip ? fan_in_uniform(in) : xavier_uniform();
}

}  // namespace

Linear head_linear(const ParameterScope& scope, int64_t in, int64_t out,
                   const ModelConfig& config) {
  return {scope, in, out, head_weight(in, config), fan_in_uniform(in)};
}

Linear head_descriptor(const ParameterScope& scope, int64_t in, int64_t out,
                       const ModelConfig& config) {
  return {scope, in, out, head_weight(in, config),
          config.architecture == Architecture::kZegClip ? fan_in_uniform(in) : constant(0)};
}

SelfAttention head_self_attention(const ParameterScope& scope, const ModelConfig& config) {
  const int64_t d = config.clip.embedding;
  return {scope, d, config.decoder_heads, xavier_uniform(), head_weight(d, config)};
}

Initialiser prompt_start(const ClipConfig& clip) {
  const double bound = std::sqrt(6.0 / (3.0 * clip.patch * clip.patch + clip.vision_width));
  return uniform(-bound, bound);
}

Linear prompt_projection(const ParameterScope& scope, const ClipConfig& clip) {
  const int64_t width = clip.vision_width;
  return {scope, width, width, normal(std::sqrt(2.0 / width)), fan_in_uniform(width)};
}

}  // namespace tagclip
