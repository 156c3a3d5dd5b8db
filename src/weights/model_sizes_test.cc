#include "weights/model_sizes.h"

#include <gtest/gtest.h>

#include <map>

#include "weights/hugging_face_names.h"

namespace tagclip {
namespace {

using Shapes = std::map<std::string, std::vector<int64_t>>;

TensorShapes reader(const Shapes& shapes) {
  return {.shape = [&shapes](const std::string& name) -> std::optional<std::vector<int64_t>> {
            const auto found = shapes.find(name);
            if (found == shapes.end()) return {};
            return found->second;
          },
          .contains_prefix =
              [&shapes](const std::string& prefix) {
                const auto found = shapes.lower_bound(prefix);
                return found != shapes.end() && found->first.starts_with(prefix);
              }};
}

TEST(ModelSizes, OfAVisionTower) {
  const Shapes shapes = {{"visual.conv1.weight", {24, 3, 4, 4}},
                         {"visual.positional_embedding", {1 + 25, 24}},
                         {"visual.proj", {24, 16}},
                         {"visual.transformer.resblocks.0.mlp.c_fc.weight", {96, 24}},
                         {"visual.transformer.resblocks.1.ln_1.weight", {24}}};
  const VisionSizes sizes = vision_sizes(reader(shapes), "visual.");
  EXPECT_EQ(sizes.width, 24);
  EXPECT_EQ(sizes.layers, 2);
  EXPECT_EQ(sizes.mlp, 96);
  EXPECT_EQ(sizes.patch, 4);
  EXPECT_EQ(sizes.grid, 5);
  EXPECT_EQ(sizes.embedding, 16);
  EXPECT_EQ(vision_sizes(reader(shapes), "backbone.").width, 0);
}

TEST(ModelSizes, WhatIsMissingOrMisshapenIsZero) {
  const Shapes shapes = {{"token_embedding.weight", {600, 16}}, {"positional_embedding", {12}}};
  const TextSizes sizes = text_sizes(reader(shapes), "");
  EXPECT_EQ(sizes.vocabulary, 600);
  EXPECT_EQ(sizes.width, 16);
  EXPECT_EQ(sizes.context, 0);
  EXPECT_EQ(sizes.layers, 0);
  EXPECT_EQ(sizes.embedding, 0);
}

TEST(ModelSizes, OfPromptsAndDecoder) {
  Shapes shapes = {{"backbone.prompt_embeddings", {1, 10, 24}},
                   {"backbone.deep_prompt_embeddings", {3, 10, 24}}};
  for (const char* layer : {"0", "1", "2"}) {
    shapes[std::string("decode_head.decoder_1.layers.") + layer + ".linear1.weight"] = {64, 16};
  }
  shapes["decode_head.decoder_1.layers.1.self_attn.in_proj_weight"] = {48, 16};
  const auto prompts = prompt_sizes(reader(shapes));
  ASSERT_TRUE(prompts.has_value());
  EXPECT_EQ(prompts->tokens, 10);
  EXPECT_EQ(prompts->layers, 4);
  const auto decoder = decoder_sizes(reader(shapes));
  ASSERT_TRUE(decoder.has_value());
  EXPECT_EQ(decoder->self_attention, "n_a_n");
  EXPECT_EQ(decoder->width, 16);
  EXPECT_TRUE(decoder->zegclip_names);
  EXPECT_FALSE(decoder->trusty_token);
  EXPECT_FALSE(decoder_sizes(reader({})).has_value());
}

TEST(HuggingFaceNames, GoThereAndBack) {
  for (const char* name :
       {"visual.conv1.weight", "visual.proj", "text_projection", "ln_final.bias",
        "visual.transformer.resblocks.11.mlp.c_proj.bias", "transformer.resblocks.0.ln_2.weight"}) {
    const auto theirs = hugging_face_name(name);
    ASSERT_TRUE(theirs.has_value()) << name;
    const auto back = openai_name(theirs->name);
    ASSERT_TRUE(back.has_value()) << theirs->name;
    EXPECT_EQ(back->name, name);
    EXPECT_EQ(back->transposed, theirs->transposed);
  }
  EXPECT_EQ(hugging_face_name("transformer.resblocks.3.ln_1.weight")->name,
            "text_model.encoder.layers.3.layer_norm1.weight");
  EXPECT_TRUE(hugging_face_name("visual.proj")->transposed);
  EXPECT_FALSE(hugging_face_name("logit_scale").has_value());
  EXPECT_FALSE(hugging_face_name("transformer.resblocks.3.attn.in_proj_weight").has_value());
}

TEST(HuggingFaceNames, ProjectionsAreThree) {
  const auto packed = projection_of_openai("visual.transformer.resblocks.2.attn.in_proj_bias");
  ASSERT_TRUE(packed.has_value());
  EXPECT_EQ(packed->parts[1], "vision_model.encoder.layers.2.self_attn.k_proj.bias");
  const auto value = projection_of_hugging_face(packed->parts[2]);
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(value->part, 2);
  EXPECT_EQ(value->packed, packed->packed);
  EXPECT_EQ(value->parts, packed->parts);
}

}  // namespace
}  // namespace tagclip
