#include "model/config.h"

#include <fmt/format.h>

#include "base/error.h"
#include "clip/clip_file.h"

namespace tagclip {
namespace {

void require(bool holds, const std::string& what, const std::string& hint = {}) {
  if (!holds) throw usage_error("model: " + what, hint);
}

template <class List, class Input>
void add_learner_input(const std::string& part, Input& member, List& list) {
  list.add("learner_" + part, member,
           {{"t_hat", LearnerInput::kTHat},
            {"text", LearnerInput::kText},
            {"image", LearnerInput::kImage},
            {"product", LearnerInput::kProduct},
            {"concat", LearnerInput::kConcat}},
           "what the Trusty Learner's " + part + " is made of");
}

void check_pattern(const ModelConfig& config) {
  const std::string& pattern = config.self_attention;
  bool fits = pattern.size() == static_cast<size_t>(2 * config.decoder_layers - 1);
  for (size_t i = 0; fits && i < pattern.size(); ++i) {
    fits = i % 2 ? pattern[i] == '_' : pattern[i] == 'a' || pattern[i] == 'n';
  }
  require(fits, fmt::format("self_attention: expected {} letters a or n joined by _, found \"{}\"",
                            config.decoder_layers, pattern));
}

void check_prompts(const ModelConfig& config) {
  require(config.prompts > 0 || config.prompt_depth == 0,
          fmt::format("prompt_depth is {}, but prompts is 0", config.prompt_depth),
          "set prompts, or leave prompt_depth at 0");
  require(config.prompt_depth <= config.clip.vision_layers,
          fmt::format("prompt_depth is {}, but the vision tower has {} layers", config.prompt_depth,
                      config.clip.vision_layers),
          "0 gives prompts to every layer");
}

void check_learner(const ModelConfig& config) {
  if (!config.has_own_learner()) {
    require(!config.learner_text_after,
            "learner_text_after: there is no learner it could come after",
            "T-hat three times holds the text already; choose another learner_query, _key, _value");
    return;
  }
  require(!config.has_self_attention(0),
          fmt::format("self_attention is {}, but the Trusty Learner takes the first layer's place",
                      config.self_attention),
          "begin it with n, or leave learner_query, _key and _value at t_hat");
  require(config.learner_query != LearnerInput::kImage || config.learner_text_after,
          "learner_query = image makes every class's query the same, and so its mask",
          "set learner_text_after = true, which tells the classes apart again");
}

void check_architecture(const ModelConfig& config) {
  if (config.architecture == Architecture::kTagClip) return;
  const std::string whose = "architecture is zegclip-released, ";
  require(!config.trusty_token, whose + "which has no trusty token", "set trusty_token = false");
  require(config.self_attention.find('a') == std::string::npos,
          whose + "whose layers have no self-attention",
          "set self_attention to n_n_n, a letter per decoder layer");
  require(!config.has_own_learner(), whose + "which has no Trusty Learner",
          "leave learner_query, _key and _value at t_hat");
}

void infer_prompts(const StateDict& state, ModelConfig& config) {
  for (const char* name : {"backbone.prompt_embeddings", "backbone.deep_prompt_embeddings"}) {
    if (state.contains(name)) state.at(name, 3);  // throws where it has other dimensions
  }
  const PromptSizes sizes = prompt_sizes(shapes_of(state)).value_or(PromptSizes());
  config.prompts = sizes.tokens;
  config.prompt_depth = sizes.layers == config.clip.vision_layers ? 0 : sizes.layers;
}

void infer_decoder(const StateDict& state, ModelConfig& config) {
  const std::optional<DecoderSizes> sizes = decoder_sizes(shapes_of(state));
  if (!sizes)
    throw bad_input(state.source + ": there is no decoder (decode_head.decoder.layers.*)");
  config.decoder_layers = sizes->layers;
  config.self_attention = sizes->self_attention;
  config.trusty_token = sizes->trusty_token;
  if (sizes->presence_head) config.protocol = Protocol::kPaper;
}

template <class Config>
FieldsOf<Config> list_fields(Config& config) {
  FieldsOf<Config> list;
  list.add("prompts", config.prompts, {0, 4096}, "visual prompt tokens per layer");
  list.add("prompt_depth", config.prompt_depth, {0, 4096},
           "layers with prompts of their own, from the first; 0 = all, 1 = shallow");
  list.add("decoder_layers", config.decoder_layers, {1, 16}, "layers of the decoder");
  list.add("decoder_heads", config.decoder_heads, {1, 256}, "attention heads of the decoder");
  list.add("self_attention", config.self_attention,
           "a letter per decoder layer: a = self-attention over the queries, n = none");
  list.add("trusty_token", config.trusty_token, "whether a trusty token joins the class queries");
  add_learner_input("query", config.learner_query, list);
  add_learner_input("key", config.learner_key, list);
  add_learner_input("value", config.learner_value, list);
  list.add("learner_text_after", config.learner_text_after,
           "whether the text joins the output of a learner that is not t_hat three times");
  list.add("architecture", config.architecture,
           {{"tagclip", Architecture::kTagClip}, {"zegclip-released", Architecture::kZegClip}},
           "whose decode head: start values differ, and ZegCLIP's has no token");
  list.add("protocol", config.protocol,
           {{"paper", Protocol::kPaper}, {"released", Protocol::kReleased}},
           "whose definition where text and code differ");
  list.add_group("clip", config.clip.fields());
  return list;
}

}  // namespace

FieldList ModelConfig::fields() { return list_fields(*this); }
ConstFieldList ModelConfig::fields() const { return list_fields(*this); }

void ModelConfig::check() const {
  fields().check();
  check_pattern(*this);
  clip.check();
  require(clip.embedding % decoder_heads == 0,
          "clip.embedding must be a multiple of decoder_heads");
  check_prompts(*this);
  check_learner(*this);
  check_architecture(*this);
}

void apply_architecture(const std::string& name, ModelConfig& config) {
  const bool zegclip = name == "zegclip" || name == "zegclip-released";
  if (!zegclip && name != "tagclip") {
    throw usage_error("there is no architecture called " + name,
                      "one of tagclip, zegclip, zegclip-released");
  }
  config.trusty_token = !zegclip;
  config.architecture =
      name == "zegclip-released" ? Architecture::kZegClip : Architecture::kTagClip;
  config.learner_query = config.learner_key = config.learner_value = LearnerInput::kTHat;
  config.learner_text_after = false;
  config.self_attention.clear();
  for (int64_t layer = 0; layer < config.decoder_layers; ++layer) {
    const bool attends = name == "zegclip" || (name == "tagclip" && layer == 0);
    config.self_attention += attends ? "_a" : "_n";
  }
  config.self_attention.erase(0, 1);
}

ModelConfig infer_config(const StateDict& state, const Metadata& metadata) {
  if (state.contains_prefix("decode_head.learner.")) {
    throw bad_input(state.source +
                    ": its Trusty Learner (decode_head.learner.*) has inputs that "
                    "only the metadata tagclip.model tells, which is missing");
  }
  ModelConfig config;
  if (state.contains_prefix("text_encoder.")) read_text_sizes(state, "text_encoder.", config.clip);
  read_vision_sizes(state, "backbone.", config.clip);
  config.clip.pixel_statistics = PixelStatistics::kClip;  // of the CLIP it started from
  config.clip.vision_heads = positive_number(metadata, "vision_heads", config.clip.vision_heads);
  infer_prompts(state, config);
  infer_decoder(state, config);
  config.decoder_heads = positive_number(metadata, "decoder_heads", config.decoder_heads);
  return config;
}

}  // namespace tagclip
