#include "weights/model_sizes.h"

#include <algorithm>
#include <cmath>

#include "weights/hugging_face_names.h"

namespace tagclip {
namespace {

int64_t size_of(const TensorShapes& shapes, const SizedTensor& tensor, size_t dimension) {
  const auto found = shapes.shape(tensor.name);
  return found && found->size() == tensor.dimensions ? (*found)[dimension] : 0;
}

std::string blocks(const std::string& prefix) { return prefix + "transformer.resblocks."; }

SizedTensor mlp(const std::string& prefix) { return {blocks(prefix) + "0.mlp.c_fc.weight", 2}; }

constexpr const char* kDecoders[] = {"decode_head.decoder.layers.",
                                     "decode_head.decoder_1.layers."};

}  // namespace

int64_t count_numbered(const TensorShapes& shapes, const std::string& prefix) {
  int64_t count = 0;
  while (shapes.contains_prefix(prefix + std::to_string(count) + ".")) ++count;
  return count;
}

TensorShapes shapes_of(const StoredWeights& weights) {
  return {.shape = [&weights](const std::string& name) -> std::optional<std::vector<int64_t>> {
            const TensorView* tensor = weights.find(name);
            if (tensor == nullptr) return {};
            return tensor->shape;
          },
          .contains_prefix =
              [&weights](const std::string& prefix) { return weights.contains_prefix(prefix); }};
}

TensorShapes openai_shapes_of(const StoredWeights& hugging_face) {
  const auto shape = [shapes = shapes_of(hugging_face)](
                         const std::string& name) -> std::optional<std::vector<int64_t>> {
    const auto theirs = hugging_face_name(name);
    if (!theirs) return {};
    std::optional<std::vector<int64_t>> found = shapes.shape(theirs->name);
    if (found && theirs->transposed) std::ranges::reverse(*found);
    return found;
  };
  // Prefixes are used to ask for blocks only.
  return {.shape = shape, .contains_prefix = [shape](const std::string& prefix) {
            return shape(prefix + "ln_1.weight").has_value();
          }};
}

std::vector<SizedTensor> tensors_of_vision_sizes(const std::string& prefix) {
  return {{prefix + "conv1.weight", 4},
          mlp(prefix),
          {prefix + "proj", 2},
          {prefix + "positional_embedding", 2}};
}

std::vector<SizedTensor> tensors_of_text_sizes(const std::string& prefix) {
  return {{prefix + "token_embedding.weight", 2},
          mlp(prefix),
          {prefix + "positional_embedding", 2},
          {prefix + "text_projection", 2}};
}

VisionSizes vision_sizes(const TensorShapes& shapes, const std::string& prefix) {
  const std::vector<SizedTensor> tensors = tensors_of_vision_sizes(prefix);
  const auto positions = static_cast<double>(size_of(shapes, tensors[3], 0));
  return {.width = size_of(shapes, tensors[0], 0),
          .layers = count_numbered(shapes, blocks(prefix)),
          .mlp = size_of(shapes, tensors[1], 0),
          .patch = size_of(shapes, tensors[0], 3),
          .grid = std::lround(std::sqrt(std::max(0.0, positions - 1))),
          .embedding = size_of(shapes, tensors[2], 1)};
}

TextSizes text_sizes(const TensorShapes& shapes, const std::string& prefix) {
  const std::vector<SizedTensor> tensors = tensors_of_text_sizes(prefix);
  return {.width = size_of(shapes, tensors[0], 1),
          .layers = count_numbered(shapes, blocks(prefix)),
          .mlp = size_of(shapes, tensors[1], 0),
          .context = size_of(shapes, tensors[2], 0),
          .vocabulary = size_of(shapes, tensors[0], 0),
          .embedding = size_of(shapes, tensors[3], 1)};
}

std::optional<PromptSizes> prompt_sizes(const TensorShapes& shapes) {
  if (!shapes.shape("backbone.prompt_embeddings")) return {};
  return PromptSizes{.tokens = size_of(shapes, {"backbone.prompt_embeddings", 3}, 1),
                     .layers = 1 + size_of(shapes, {"backbone.deep_prompt_embeddings", 3}, 0)};
}

std::optional<DecoderSizes> decoder_sizes(const TensorShapes& shapes) {
  for (const std::string layers : kDecoders) {
    DecoderSizes sizes{.layers = count_numbered(shapes, layers)};
    if (sizes.layers == 0) continue;
    sizes.width = size_of(shapes, {layers + "0.linear1.weight", 2}, 1);
    for (int64_t layer = 0; layer < sizes.layers; ++layer) {
      const bool attends =
          shapes.shape(layers + std::to_string(layer) + ".self_attn.in_proj_weight").has_value();
      sizes.self_attention += std::string(layer > 0 ? "_" : "") + (attends ? "a" : "n");
    }
    sizes.trusty_token = shapes.shape("decode_head.disc_token").has_value();
    sizes.own_learner = shapes.contains_prefix("decode_head.learner.");
    sizes.presence_head = shapes.contains_prefix("decode_head.class_embed.");
    sizes.zegclip_names = layers == kDecoders[1];
    return sizes;
  }
  return {};
}

}  // namespace tagclip
