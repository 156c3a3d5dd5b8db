#include "clip/clip_sizes.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/text.h"

namespace tagclip {
namespace {

int64_t heads_of(int64_t width) { return std::max<int64_t>(1, width / 64); }

// 0, the usual, where it is four times the width.
int64_t mlp_width(const StateDict& state, const std::string& prefix, int64_t width) {
  const int64_t inner = state.at(prefix + "transformer.resblocks.0.mlp.c_fc.weight", 2).size(0);
  return inner == 4 * width ? 0 : inner;
}

}  // namespace

void read_vision_sizes(const StateDict& state, const std::string& prefix, ClipConfig& config) {
  const at::Tensor& kernel = state.at(prefix + "conv1.weight", 4);
  config.vision_width = kernel.size(0);
  config.vision_heads = heads_of(config.vision_width);
  config.vision_layers = state.count_numbered(prefix + "transformer.resblocks.");
  config.vision_mlp = mlp_width(state, prefix, config.vision_width);
  config.patch = kernel.size(3);
  config.embedding = state.at(prefix + "proj", 2).size(1);
  const auto positions = static_cast<double>(state.at(prefix + "positional_embedding", 2).size(0));
  config.resolution = std::lround(std::sqrt(std::max(0.0, positions - 1))) * config.patch;
}

void read_text_sizes(const StateDict& state, const std::string& prefix, ClipConfig& config) {
  const at::Tensor& tokens = state.at(prefix + "token_embedding.weight", 2);
  config.vocabulary = tokens.size(0);
  config.text_width = tokens.size(1);
  config.text_heads = heads_of(config.text_width);
  config.text_layers = state.count_numbered(prefix + "transformer.resblocks.");
  config.text_mlp = mlp_width(state, prefix, config.text_width);
  config.context = state.at(prefix + "positional_embedding", 2).size(0);
  config.embedding = state.at(prefix + "text_projection", 2).size(1);
}

ClipConfig infer_clip_config(const StateDict& state, const Metadata& metadata) {
  ClipConfig config;
  read_text_sizes(state, "", config);
  read_vision_sizes(state, "visual.", config);
  config.vision_heads = positive_number(metadata, "v_heads", config.vision_heads);
  config.text_heads = positive_number(metadata, "t_heads", config.text_heads);
  return config;
}

int64_t positive_number(const Metadata& metadata, const std::string& key, int64_t otherwise) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) return otherwise;
  const auto number = parse_number<int64_t>(found->second);
  if (number && *number >= 1) return *number;
  throw bad_input("metadata " + key + ": expected a positive whole number, found " +
                  in_quotes(found->second));
}

}  // namespace tagclip
