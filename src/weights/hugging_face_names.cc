#include "weights/hugging_face_names.h"

#include <algorithm>

namespace tagclip {
namespace {

struct Pair {
  std::string_view openai, hugging_face;
  bool transposed = false;
};
using Side = std::string_view Pair::*;

constexpr auto kTensors = std::to_array<Pair>({
    {"visual.class_embedding", "vision_model.embeddings.class_embedding"},
    {"visual.conv1.weight", "vision_model.embeddings.patch_embedding.weight"},
    {"visual.positional_embedding", "vision_model.embeddings.position_embedding.weight"},
    {"visual.ln_pre.weight", "vision_model.pre_layrnorm.weight"},  // spelt so
    {"visual.ln_pre.bias", "vision_model.pre_layrnorm.bias"},
    {"visual.ln_post.weight", "vision_model.post_layernorm.weight"},
    {"visual.ln_post.bias", "vision_model.post_layernorm.bias"},
    {"visual.proj", "visual_projection.weight", true},
    {"token_embedding.weight", "text_model.embeddings.token_embedding.weight"},
    {"positional_embedding", "text_model.embeddings.position_embedding.weight"},
    {"ln_final.weight", "text_model.final_layer_norm.weight"},
    {"ln_final.bias", "text_model.final_layer_norm.bias"},
    {"text_projection", "text_projection.weight", true},
});

constexpr auto kBlocks = std::to_array<Pair>({
    {"visual.transformer.resblocks.", "vision_model.encoder.layers."},
    {"transformer.resblocks.", "text_model.encoder.layers."},
});

// Each part of a block stands for a weight and a bias.
constexpr auto kParts = std::to_array<Pair>({
    {"attn.out_proj.", "self_attn.out_proj."},
    {"ln_1.", "layer_norm1."},
    {"ln_2.", "layer_norm2."},
    {"mlp.c_fc.", "mlp.fc1."},
    {"mlp.c_proj.", "mlp.fc2."},
});

constexpr std::string_view kPacked = "attn.in_proj_";
constexpr std::array<std::string_view, 3> kProjections = {"self_attn.q_proj.", "self_attn.k_proj.",
                                                          "self_attn.v_proj."};

// Splits "visual.transformer.resblocks.3.ln_1.weight" into the blocks, "3." and "ln_1.weight".
struct BlockTensor {
  const Pair* blocks;
  std::string number;
  std::string_view part;
};

std::optional<BlockTensor> block_tensor(std::string_view name, Side side) {
  for (const Pair& blocks : kBlocks) {
    if (!name.starts_with(blocks.*side)) continue;
    const std::string_view rest = name.substr((blocks.*side).size());
    const size_t dot = rest.find('.');
    if (dot == std::string_view::npos) return {};
    return BlockTensor{&blocks, std::string(rest.substr(0, dot + 1)), rest.substr(dot + 1)};
  }
  return {};
}

std::optional<TensorName> translated(std::string_view name, Side from, Side to) {
  const auto found = std::ranges::find(kTensors, name, from);
  if (found != kTensors.end()) return TensorName{std::string((*found).*to), found->transposed};
  const auto block = block_tensor(name, from);
  if (!block) return {};
  for (const Pair& part : kParts) {
    if (!block->part.starts_with(part.*from)) continue;
    return TensorName{std::string(block->blocks->*to) + block->number + std::string(part.*to) +
                      std::string(block->part.substr((part.*from).size()))};
  }
  return {};
}

// `ending` is "weight" or "bias".
ProjectionName projection(const BlockTensor& block, std::string_view ending, int part) {
  ProjectionName result{.packed = std::string(block.blocks->openai) + block.number +
                                  std::string(kPacked) + std::string(ending),
                        .parts = {},
                        .part = part};
  for (size_t i = 0; i < kProjections.size(); ++i) {
    result.parts[i] = std::string(block.blocks->hugging_face) + block.number +
                      std::string(kProjections[i]) + std::string(ending);
  }
  return result;
}

}  // namespace

std::optional<TensorName> hugging_face_name(std::string_view openai) {
  return translated(openai, &Pair::openai, &Pair::hugging_face);
}

std::optional<TensorName> openai_name(std::string_view hugging_face) {
  return translated(hugging_face, &Pair::hugging_face, &Pair::openai);
}

std::optional<ProjectionName> projection_of_openai(std::string_view name) {
  const auto block = block_tensor(name, &Pair::openai);
  if (!block || !block->part.starts_with(kPacked)) return {};
  return projection(*block, block->part.substr(kPacked.size()), 0);
}

std::optional<ProjectionName> projection_of_hugging_face(std::string_view name) {
  const auto block = block_tensor(name, &Pair::hugging_face);
  if (!block) return {};
  for (size_t i = 0; i < kProjections.size(); ++i) {
    if (!block->part.starts_with(kProjections[i])) continue;
    return projection(*block, block->part.substr(kProjections[i].size()), static_cast<int>(i));
  }
  return {};
}

std::vector<std::string> clip_tensor_names(int64_t vision_layers, int64_t text_layers,
                                           bool hugging_face) {
  const Side side = hugging_face ? &Pair::hugging_face : &Pair::openai;
  std::vector<std::string> names{"logit_scale"};
  for (const Pair& tensor : kTensors) names.emplace_back(tensor.*side);
  for (size_t tower = 0; tower < kBlocks.size(); ++tower) {
    const int64_t layers = tower == 0 ? vision_layers : text_layers;
    for (int64_t layer = 0; layer < layers; ++layer) {
      const std::string number = std::to_string(layer) + ".";
      const std::string block = std::string(kBlocks[tower].*side) + number;
      for (const char* ending : {"weight", "bias"}) {
        for (const Pair& part : kParts) names.push_back(block + std::string(part.*side) + ending);
        const ProjectionName packed = projection({&kBlocks[tower], number, {}}, ending, 0);
        if (hugging_face) {
          names.insert(names.end(), packed.parts.begin(), packed.parts.end());
        } else {
          names.push_back(packed.packed);
        }
      }
    }
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace tagclip
