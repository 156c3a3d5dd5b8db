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
  EXPECT_THAT(refusal("{\n\"model_type\": \"clip\",\n\"x\": -Infinity}"),
              HasSubstr("config.json, line 3, column 6: -Infinity is not a number"));
  EXPECT_THAT(refusal("{}"), HasSubstr("no model_type"));
  EXPECT_THAT(refusal(R"({"model_type": "siglip"})"),
              AllOf(HasSubstr("model_type \"siglip\""), HasSubstr("a SigLIP")));
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

TEST(HuggingFaceConfig, TheDictWinsOverTheConfig) {
  const auto heads = [](const std::string& text) {
    return hugging_face(R"({"model_type": "clip", "text_config": {"num_attention_heads": 5}, )" +
                        text + "}")
        .text_heads;
  };
  EXPECT_EQ(heads(R"("text_config_dict": {"num_attention_heads": 2})"), 2);
  EXPECT_EQ(heads(R"("text_config_dict": {})"), 8) << "its defaults win, too";
  EXPECT_EQ(heads(R"("text_config_dict": null)"), 5);
  EXPECT_EQ(hugging_face(R"({"model_type": "clip", "vision_config": {"num_attention_heads": 5},
                             "vision_config_dict": {"num_attention_heads": 3}})")
                .vision_heads,
            3);
}

// A key of a config with a value that is not its default.
struct Key {
  std::string name, value;
};

// Every key is used, refused by name or without effect; together these are all that the library
// knows.
struct Keys {
  std::vector<Key> used, refused, without_effect;
};

std::vector<std::string> all_names(const Keys& keys) {
  std::vector<std::string> names;
  for (const auto* list : {&keys.used, &keys.refused, &keys.without_effect}) {
    for (const Key& key : *list) names.push_back(key.name);
  }
  return names;
}

// The numbers of a config, to be compared.
std::vector<int64_t> numbers(const ClipConfigJson& c) {
  return {c.vision_heads,  c.text_heads, c.quick_gelu, c.imagenet_statistics, c.embedding,
          c.resolution,    c.patch,      c.context,    c.vocabulary,          c.vision_width,
          c.vision_layers, c.vision_mlp, c.text_width, c.text_layers,         c.text_mlp};
}

// `parse` reads a config that has these entries in the part with the keys.
template <class Parse>
void expect_keys(const Keys& keys, const Parse& parse) {
  const std::vector<int64_t> plain = numbers(parse(""));
  const auto entry = [](const Key& key) { return "\"" + key.name + "\": " + key.value; };
  for (const Key& key : keys.used) {
    EXPECT_NE(numbers(parse(entry(key))), plain) << key.name;
  }
  for (const Key& key : keys.refused) {
    EXPECT_THAT(bad_input_text([&] { parse(entry(key)); }), HasSubstr(key.name)) << key.name;
  }
  for (const Key& key : keys.without_effect) {
    EXPECT_EQ(numbers(parse(entry(key))), plain) << key.name;
  }
}

// open_clip 3.3.0's CLIPVisionCfg.
TEST(OpenClipConfig, EveryKeyOfTheVisionTowerIsUsedOrRefused) {
  const Keys keys{.used = {{"layers", "3"},
                           {"width", "128"},
                           {"head_width", "32"},
                           {"mlp_ratio", "2.0"},
                           {"patch_size", "7"},
                           {"image_size", "21"}},
                  .refused = {{"ls_init_value", "0.1"},
                              {"attentional_pool", "true"},
                              {"no_ln_pre", "true"},
                              {"pos_embed_type", "\"sin_cos_2d\""},
                              {"final_ln_after_pool", "true"},
                              {"pool_type", "\"avg\""},
                              {"output_tokens", "true"},
                              {"act_kwargs", "{\"approximate\": \"tanh\"}"},
                              {"norm_kwargs", "{\"eps\": 1e-6}"},
                              {"block_type", "\"custom\""},
                              {"qk_norm", "true"},
                              {"scaled_cosine_attn", "true"},
                              {"scale_heads", "true"},
                              {"scale_attn_inner", "true"},
                              {"scale_attn", "true"},
                              {"scale_fc", "true"},
                              {"timm_model_name", "\"eva02_base_patch16_clip_224\""}},
                  // They are training's dropout, and settings of what the refused ones switch on.
                  .without_effect = {{"patch_dropout", "0.5"},
                                     {"attn_pooler_queries", "64"},
                                     {"attn_pooler_heads", "4"},
                                     {"timm_model_pretrained", "true"},
                                     {"timm_pool", "\"map\""},
                                     {"timm_proj", "\"mlp\""},
                                     {"timm_proj_bias", "true"},
                                     {"timm_drop", "0.1"},
                                     {"timm_drop_path", "0.1"}}};
  EXPECT_THAT(
      all_names(keys),
      testing::UnorderedElementsAre(
          "layers", "width", "head_width", "mlp_ratio", "patch_size", "image_size", "ls_init_value",
          "patch_dropout", "attentional_pool", "attn_pooler_queries", "attn_pooler_heads",
          "no_ln_pre", "pos_embed_type", "final_ln_after_pool", "pool_type", "output_tokens",
          "act_kwargs", "norm_kwargs", "block_type", "qk_norm", "scaled_cosine_attn", "scale_heads",
          "scale_attn_inner", "scale_attn", "scale_fc", "timm_model_name", "timm_model_pretrained",
          "timm_pool", "timm_proj", "timm_proj_bias", "timm_drop", "timm_drop_path"));
  expect_keys(keys, [](const std::string& entry) {
    return open_clip("{\"text_cfg\": {}, \"vision_cfg\": {" + entry + "}}");
  });
}

// open_clip 3.3.0's CLIPTextCfg.
TEST(OpenClipConfig, EveryKeyOfTheTextTowerIsUsedOrRefused) {
  const Keys keys{.used = {{"context_length", "9"},
                           {"vocab_size", "600"},
                           {"width", "64"},
                           {"heads", "2"},
                           {"layers", "3"},
                           {"mlp_ratio", "2.0"}},
                  .refused = {{"hf_tokenizer_name", "\"xlm-roberta-base\""},
                              {"tokenizer_mode", "\"clips\""},
                              {"tokenizer_kwargs", "{\"clean\": \"canonicalize\"}"},
                              {"ls_init_value", "0.1"},
                              {"embed_cls", "true"},
                              {"no_causal_mask", "true"},
                              {"final_ln_after_pool", "true"},
                              {"pool_type", "\"last\""},
                              {"proj_bias", "true"},
                              {"proj_type", "\"none\""},
                              {"output_tokens", "true"},
                              {"act_kwargs", "{\"approximate\": \"tanh\"}"},
                              {"norm_kwargs", "{\"eps\": 1e-6}"},
                              {"block_type", "\"custom\""},
                              {"qk_norm", "true"},
                              {"scaled_cosine_attn", "true"},
                              {"scale_heads", "true"},
                              {"scale_attn_inner", "true"},
                              {"scale_attn", "true"},
                              {"scale_fc", "true"},
                              {"hf_model_name", "\"roberta-base\""}},
                  // They are not looked at where pool_type is argmax.
                  .without_effect = {{"pad_id", "1"},
                                     {"eos_id", "7"},
                                     {"hf_model_pretrained", "false"},
                                     {"hf_proj_type", "\"linear\""},
                                     {"hf_pooler_type", "\"cls_pooler\""}}};
  EXPECT_THAT(
      all_names(keys),
      testing::UnorderedElementsAre(
          "context_length", "vocab_size", "hf_tokenizer_name", "tokenizer_mode", "tokenizer_kwargs",
          "width", "heads", "layers", "mlp_ratio", "ls_init_value", "embed_cls", "pad_id", "eos_id",
          "no_causal_mask", "final_ln_after_pool", "pool_type", "proj_bias", "proj_type",
          "output_tokens", "act_kwargs", "norm_kwargs", "block_type", "qk_norm",
          "scaled_cosine_attn", "scale_heads", "scale_attn_inner", "scale_attn", "scale_fc",
          "hf_model_name", "hf_model_pretrained", "hf_proj_type", "hf_pooler_type"));
  expect_keys(keys, [](const std::string& entry) {
    return open_clip("{\"vision_cfg\": {}, \"text_cfg\": {" + entry + "}}");
  });
}

TEST(OpenClipConfig, SettingsOfTheTokenizer) {
  const auto refusal = [](const std::string& settings) {
    return open_clip_refusal("{}", "{\"tokenizer_kwargs\": " + settings + "}");
  };
  EXPECT_THAT(refusal(R"({"clean": "canonicalize"})"),
              AllOf(HasSubstr("tokenizer_kwargs"), HasSubstr("\"clean\" is \"canonicalize\"")));
  EXPECT_THAT(refusal(R"({"strip_sep_token": true})"), HasSubstr("strip_sep_token"));
  EXPECT_EQ(open_clip(R"({"vision_cfg": {}, "text_cfg": {"hf_tokenizer_name": "",
                          "tokenizer_kwargs": {"clean": "lower", "reduction_mask": ""}}})")
                .text_heads,
            8);
}

// transformers 5.23.0 writes these into every config, whatever the model.
const std::vector<Key> kOfEveryConfig = {{"transformers_version", "\"5.0\""},
                                         {"architectures", "[\"CLIPModel\"]"},
                                         {"output_hidden_states", "true"},
                                         {"return_dict", "false"},
                                         {"dtype", "\"float16\""},
                                         {"torch_dtype", "\"float16\""},
                                         {"chunk_size_feed_forward", "1"},
                                         {"is_encoder_decoder", "true"},
                                         {"id2label", "{\"0\": \"a\"}"},
                                         {"label2id", "{\"a\": 0}"},
                                         {"problem_type", "\"regression\""},
                                         {"_name_or_path", "\"x\""},
                                         {"model_type", "\"clip_text_model\""},
                                         {"output_attentions", "true"}};

TEST(HuggingFaceConfig, EveryKeyOfATowerIsUsedOrRefused) {
  // The towers share these. `projection_dim` counts where it stands beside the towers.
  Keys shared{.used = {{"hidden_size", "96"},
                       {"intermediate_size", "40"},
                       {"num_hidden_layers", "3"},
                       {"num_attention_heads", "4"}},
              .refused = {{"hidden_act", "\"gelu_new\""},
                          {"layer_norm_eps", "1e-6"},
                          {"quantization_config", "{\"bits\": 8}"},
                          {"pruned_heads", "{\"0\": [1]}"}},
              .without_effect = {{"projection_dim", "7"},
                                 {"attention_dropout", "0.5"},
                                 {"initializer_range", "1.0"},
                                 {"initializer_factor", "2.0"}}};
  shared.without_effect.insert(shared.without_effect.end(), kOfEveryConfig.begin(),
                               kOfEveryConfig.end());
  Keys vision = shared, text = shared;
  for (const Key& key : {Key{"image_size", "21"}, Key{"patch_size", "7"}}) {
    vision.used.push_back(key);
  }
  vision.refused.push_back({"num_channels", "4"});
  for (const Key& key : {Key{"vocab_size", "600"}, Key{"max_position_embeddings", "9"}}) {
    text.used.push_back(key);
  }
  text.refused.push_back({"eos_token_id", "5"});
  for (const Key& key : {Key{"bos_token_id", "5"}, Key{"pad_token_id", "0"},
                         Key{"eos_token_id", "2"}, Key{"eos_token_id", "49407"}}) {
    text.without_effect.push_back(key);
  }
  for (const char* dict : {"", "_dict"}) {
    expect_keys(vision, [&](const std::string& entry) {
      return hugging_face(R"({"model_type": "clip", "vision_config)" + std::string(dict) + "\": {" +
                          entry + "}}");
    });
    expect_keys(text, [&](const std::string& entry) {
      return hugging_face(R"({"model_type": "clip", "text_config)" + std::string(dict) + "\": {" +
                          entry + "}}");
    });
  }
  const auto beside = [](const std::string& entry) {
    return hugging_face("{\"model_type\": \"clip\"" + (entry.empty() ? "" : ", " + entry) + "}");
  };
  expect_keys({.used = {{"projection_dim", "8"}},
               .refused = {{"quantization_config", "{\"bits\": 8}"}},
               .without_effect = {{"logit_scale_init_value", "1.0"},
                                  {"initializer_factor", "2.0"},
                                  {"torch_dtype", "\"float16\""}}},
              beside);
}

}  // namespace
}  // namespace tagclip
