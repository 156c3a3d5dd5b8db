#include "weights/weights_dialect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "support/test_dir.h"

namespace tagclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

StoredWeights with_names(std::vector<std::string> names) {
  StoredWeights stored{.source = "a.safetensors"};
  for (std::string& name : names) stored.tensors.push_back({.name = std::move(name)});
  std::ranges::sort(stored.tensors, {}, &TensorView::name);
  return stored;
}

std::string described(std::vector<std::string> names) {
  return describe_weights(with_names(std::move(names)));
}

TEST(WeightsKind, NamesTheModel) {
  EXPECT_EQ(described({"backbone.conv1.weight", "decode_head.disc_token"}),
            "a TagCLIP segmentation model");
  EXPECT_EQ(described({"backbone.conv1.weight", "decode_head.decoder_1.layers.0.norm1.bias"}),
            "a segmentation model of ZegCLIP's own code");
  EXPECT_THAT(described({"backbone.conv1.weight", "decode_head.decoder.layers.0.norm1.bias"}),
              HasSubstr("without a trusty token"));
  EXPECT_EQ(described({"ln_final.bias", "token_embedding.weight", "visual.conv1.weight"}),
            "a CLIP with OpenAI's names");
  EXPECT_EQ(described({"text_model.final_layer_norm.bias",
                       "vision_model.embeddings.patch_embedding.weight"}),
            "a CLIP in Hugging Face's layout");
  EXPECT_EQ(described({"conv1.weight", "ln_pre.weight"}), "the vision tower of a CLIP alone");
  EXPECT_EQ(described({}), "a file without tensors");
}

TEST(WeightsKind, RelativesOfClipAreNoClip) {
  const struct {
    std::string description;
    std::vector<std::string> names;
  } cases[] = {
      {"SigLIP",
       {"vision_model.embeddings.patch_embedding.weight", "vision_model.head.probe",
        "text_model.embeddings.token_embedding.weight"}},
      {"SigLIP", {"visual.trunk.pos_embed", "logit_bias", "text.token_embedding.weight"}},
      {"Chinese-CLIP",
       {"vision_model.embeddings.patch_embedding.weight",
        "text_model.embeddings.word_embeddings.weight"}},
      {"AltCLIP",
       {"vision_model.embeddings.patch_embedding.weight",
        "text_model.roberta.embeddings.word_embeddings.weight"}},
      {"EVA-CLIP",
       {"visual.patch_embed.proj.weight", "visual.blocks.0.norm1.weight",
        "text.token_embedding.weight"}},
      {"MobileCLIP", {"image_encoder.model.stem.weight", "text_encoder.embedding_layer.weight"}},
      {"CoCa", {"visual.conv1.weight", "token_embedding.weight", "text_decoder.ln_final.weight"}},
      {"CLIPA",
       {"visual.conv1.weight", "token_embedding.weight",
        "visual.transformer.resblocks.0.ln_1.weight"}},
      {"LoRA adapter", {"base_model.model.visual.transformer.resblocks.0.attn.lora_A.weight"}},
      {"timm", {"patch_embed.proj.weight", "blocks.0.norm1.weight"}},
      {"ResNet", {"visual.conv1.weight", "visual.layer1.0.conv1.weight", "token_embedding.weight"}},
  };
  for (const auto& [description, names] : cases) {
    const StoredWeights stored = with_names(names);
    EXPECT_THAT(describe_weights(stored), HasSubstr(description));
    EXPECT_FALSE(is_clip(stored)) << description;
    EXPECT_FALSE(advice_for(stored).empty()) << description;
    EXPECT_THAT(not_a_clip(stored).what(),
                AllOf(HasSubstr("a.safetensors"), HasSubstr(description)));
  }
}

TEST(WeightsKind, TheConfigHasTheFirstWord) {
  const TestDir dir;
  StoredWeights stored = with_names({"vision_model.embeddings.patch_embedding.weight",
                                     "text_model.embeddings.token_embedding.weight"});
  stored.folders = {dir / "."};
  const auto described_with = [&](const std::string& config) {
    std::ofstream(dir / "config.json") << config;
    return describe_weights(stored);
  };
  EXPECT_TRUE(is_clip(stored));
  EXPECT_EQ(described_with(R"({"model_type": "siglip2"})"),
            "a SigLIP 2 (model_type siglip2 in config.json)");
  EXPECT_FALSE(is_clip(stored));
  EXPECT_THAT(described_with(R"({"model_type": "of_tomorrow"})"), HasSubstr("\"of_tomorrow\""));
  for (const char* config : {R"({"model_type": "clip"})", "{}", "[", R"({"model_type": 3})"}) {
    EXPECT_EQ(described_with(config), "a CLIP in Hugging Face's layout") << config;
  }
  // The config counts also over names that tell a relative of CLIP.
  stored.tensors =
      with_names({"vision_model.embeddings.patch_embedding.weight", "vision_model.head.probe"})
          .tensors;
  EXPECT_THAT(described_with(R"({"model_type": "siglip2"})"), HasSubstr("a SigLIP 2"));
  // This config belongs to another file in the folder.
  stored.tensors = with_names({"token_embedding.weight", "visual.conv1.weight"}).tensors;
  EXPECT_EQ(described_with(R"({"model_type": "siglip"})"), "a CLIP with OpenAI's names");
}

TEST(WeightsKind, QuotesTheNameOfAStranger) {
  EXPECT_THAT(described({"a\x1b[31mb", "c"}),
              AllOf(HasSubstr("another model"), Not(HasSubstr("\x1b"))));
}

}  // namespace
}  // namespace tagclip
