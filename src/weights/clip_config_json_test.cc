#include "weights/clip_config_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/test_errors.h"

namespace tagclip {
namespace {

using testing::AllOf;
using testing::HasSubstr;

ClipConfigJson hugging_face(const std::string& json) {
  return parse_hugging_face_config(json, "config.json");
}
ClipConfigJson open_clip(const std::string& json) {
  return parse_open_clip_config(json, "open_clip_config.json");
}
std::string open_clip_refusal(const std::string& vision, const std::string& text = "{}") {
  return bad_input_text(
      [&] { open_clip("{\"vision_cfg\": " + vision + ", \"text_cfg\": " + text + "}"); });
}

TEST(HuggingFaceConfig, ReadsHeadsAndActivation) {
  const ClipConfigJson config = hugging_face(R"({"model_type": "clip", "projection_dim": 8,
      "vision_config": {"num_attention_heads": 3, "hidden_act": "gelu", "image_size": 32},
      "text_config": {"num_attention_heads": 5, "hidden_act": "gelu", "vocab_size": 600}})");
  EXPECT_EQ(config.vision_heads, 3);
  EXPECT_EQ(config.text_heads, 5);
  EXPECT_FALSE(config.quick_gelu);
  EXPECT_EQ(config.embedding, 8);
  EXPECT_EQ(config.resolution, 32);
  EXPECT_EQ(config.vocabulary, 600);
  EXPECT_EQ(config.patch, 0) << "not stated";
}

TEST(HuggingFaceConfig, LeftOutValuesAreTransformersDefaults) {
  const ClipConfigJson config = hugging_face(R"({"model_type": "clip"})");
  EXPECT_EQ(config.vision_heads, 12);
  EXPECT_EQ(config.text_heads, 8);
  EXPECT_TRUE(config.quick_gelu);
}

TEST(HuggingFaceConfig, RefusesWhatIsNoClip) {
  const auto refusal = [](const std::string& json) {
    return bad_input_text([&] { hugging_face(json); });
  };
  EXPECT_THAT(refusal("[]"), AllOf(HasSubstr("config.json"), HasSubstr("not a JSON object")));
  EXPECT_THAT(refusal("{}"), HasSubstr("no model_type"));
  EXPECT_THAT(refusal(R"({"model_type": "siglip"})"), HasSubstr("model_type"));
  EXPECT_THAT(refusal(R"({"model_type": "clip", "vision_config": 3})"), HasSubstr("vision_config"));
  EXPECT_THAT(refusal(R"({"model_type": "clip", "text_config": {"hidden_act": "gelu_new"}})"),
              HasSubstr("hidden_act"));
  EXPECT_THAT(refusal(R"({"model_type": "clip", "text_config": {"hidden_act": "gelu"}})"),
              HasSubstr("differs"));
  EXPECT_THAT(refusal(R"({"model_type": "clip", "text_config": {"layer_norm_eps": 0.1}})"),
              HasSubstr("layer_norm_eps"));
  for (const char* heads : {"0", "-3", "65537", "1e300", "2.5", "\"8\"", "18446744073709551615"}) {
    EXPECT_THAT(refusal(std::string(R"({"model_type": "clip", "vision_config": )") +
                        R"({"num_attention_heads": )" + heads + "}}"),
                HasSubstr("num_attention_heads"))
        << heads;
  }
}

TEST(OpenClipConfig, ReadsBothForms) {
  const std::string model = R"({"embed_dim": 8, "quick_gelu": true,
      "vision_cfg": {"width": 96, "head_width": 32, "layers": 2, "timm_model_name": null},
      "text_cfg": {"heads": 3, "no_causal_mask": false}})";
  for (const std::string& json : {model, "{\"model_cfg\": " + model + "}"}) {
    const ClipConfigJson config = open_clip(json);
    EXPECT_EQ(config.vision_heads, 3);
    EXPECT_EQ(config.text_heads, 3);
    EXPECT_TRUE(config.quick_gelu);
    EXPECT_EQ(config.vision_layers, 2);
  }
}

TEST(OpenClipConfig, PhotosAreNormalisedAsClipDoes) {
  const auto with_mean = [](const std::string& mean) {
    return R"({"model_cfg": {"vision_cfg": {}, "text_cfg": {}}, "preprocess_cfg": {"mean": )" +
           mean + "}}";
  };
  EXPECT_FALSE(open_clip(with_mean("[0.48145466, 0.4578275, 0.40821073]")).imagenet_statistics);
  EXPECT_TRUE(open_clip(with_mean("[0.485, 0.456, 0.406], \"std\": [0.229, 0.224, 0.225]"))
                  .imagenet_statistics);
  for (const char* mean : {"[0.5, 0.5, 0.5]", "[0.48145466]", "3", "[\"a\", 1, 2]"}) {
    EXPECT_THAT(bad_input_text([&] { open_clip(with_mean(mean)); }), HasSubstr("mean")) << mean;
  }
}

TEST(OpenClipConfig, RefusesVariantsByName) {
  EXPECT_THAT(open_clip_refusal(R"({"layers": [3, 4, 6, 3]})"), HasSubstr("ResNet"));
  EXPECT_THAT(open_clip_refusal(R"({"timm_model_name": "vit"})"), HasSubstr("timm_model_name"));
  EXPECT_THAT(open_clip_refusal(R"({"ls_init_value": 1e-5})"), HasSubstr("ls_init_value"));
  EXPECT_THAT(open_clip_refusal("{}", R"({"hf_model_name": "roberta"})"),
              HasSubstr("hf_model_name"));
  EXPECT_THAT(open_clip_refusal("{}", R"({"no_causal_mask": true})"), HasSubstr("no_causal_mask"));
  EXPECT_THAT(open_clip_refusal(R"({"pool_type": "avg"})"), HasSubstr("pool_type"));
  EXPECT_THAT(open_clip_refusal(R"({"act_kwargs": {"approximate": "tanh"}})"),
              HasSubstr("act_kwargs"));
  EXPECT_THAT(open_clip_refusal(R"({"of_tomorrow": 1})"), HasSubstr("of_tomorrow"));
  EXPECT_THAT(open_clip_refusal("{}", R"({"pool_type": "last"})"), HasSubstr("pool_type"));
  EXPECT_EQ(open_clip(R"({"vision_cfg": {"pool_type": "tok", "norm_kwargs": null},
                          "text_cfg": {"pool_type": "argmax", "act_kwargs": {}}})")
                .vision_heads,
            12);
  EXPECT_THAT(open_clip_refusal(R"({"width": 100})"), HasSubstr("head_width"));
  EXPECT_THAT(open_clip_refusal(R"({"mlp_ratio": -1})"), HasSubstr("mlp_ratio"));
  EXPECT_THAT(bad_input_text([] { open_clip("{}"); }), HasSubstr("vision_cfg"));
}

}  // namespace
}  // namespace tagclip
