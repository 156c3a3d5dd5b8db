#include "model/config.h"

#include <c10/util/StringUtil.h>

#include "base/error.h"
#include "clip/clip_sizes.h"

namespace tagclip {

FieldList ModelConfig::fields() {
  FieldList list;
  list.add("prompts", prompts, {0, 4096}, "visual prompt tokens a layer");
  list.add("decoder_layers", decoder_layers, {1, 16}, "layers of the decoder");
  list.add("decoder_heads", decoder_heads, {1, 256}, "attention heads of the decoder");
  list.add("self_attention", self_attention,
           "a letter a decoder layer: a = self-attention over the queries, n = none");
  list.add("trusty_token", trusty_token, "whether a trusty token joins the class queries");
  list.add("unused_self_attention", unused_self_attention,
           "whether layers without self-attention carry its weights all the same");
  list.add("protocol", protocol, {{"paper", Protocol::kPaper}, {"released", Protocol::kReleased}},
           "whose definition where text and code differ");
  list.add_group("clip", clip.fields());
  return list;
}

void ModelConfig::check() const {
  const auto require = [](bool holds, const std::string& what) {
    if (!holds) throw usage_error("model: " + what);
  };
  ModelConfig copy = *this;
  copy.fields().check();
  bool pattern_fits = self_attention.size() == static_cast<size_t>(2 * decoder_layers - 1);
  for (size_t i = 0; pattern_fits && i < self_attention.size(); ++i) {
    pattern_fits =
        i % 2 ? self_attention[i] == '_' : self_attention[i] == 'a' || self_attention[i] == 'n';
  }
  require(pattern_fits, c10::str("self_attention: expected ", decoder_layers,
                                 " letters a or n joined by _, found \"", self_attention, "\""));
  clip.check();
  require(clip.embedding % decoder_heads == 0,
          "clip.embedding must be a multiple of decoder_heads");
}

void apply_architecture(const std::string& name, ModelConfig& config) {
  const bool zegclip = name == "zegclip" || name == "zegclip-released";
  if (!zegclip && name != "tagclip") {
    throw usage_error("there is no architecture called " + name,
                      "one of tagclip, zegclip, zegclip-released");
  }
  config.trusty_token = !zegclip;
  config.unused_self_attention = name == "zegclip-released";
  config.self_attention.clear();
  for (int64_t layer = 0; layer < config.decoder_layers; ++layer) {
    const bool attends = name == "zegclip" || (name == "tagclip" && layer == 0);
    config.self_attention += attends ? "_a" : "_n";
  }
  config.self_attention.erase(0, 1);
}

ModelConfig infer_config(const StateDict& state, const Metadata& metadata) {
  ModelConfig config;
  if (state.contains_prefix("text_encoder.")) read_text_sizes(state, "text_encoder.", config.clip);
  read_vision_sizes(state, "backbone.", config.clip);
  config.clip.colours = Colours::kClip;  // of the CLIP it started from
  config.clip.vision_heads = positive_number(metadata, "vision_heads", config.clip.vision_heads);

  config.prompts = state.contains("backbone.prompt_embeddings")
                       ? state.at("backbone.prompt_embeddings", 3).size(1)
                       : 0;
  config.trusty_token = state.contains("decode_head.disc_token");
  const std::string layers = "decode_head.decoder.layers.";
  config.decoder_layers = state.count_numbered(layers);
  if (config.decoder_layers == 0)
    throw bad_input(state.source + ": there is no decoder (" + layers + "*)");
  config.decoder_heads = positive_number(metadata, "decoder_heads", config.decoder_heads);
  config.self_attention.clear();
  for (int64_t layer = 0; layer < config.decoder_layers; ++layer) {
    const bool attends =
        state.contains(layers + std::to_string(layer) + ".self_attn.in_proj_weight");
    config.self_attention += attends ? "_a" : "_n";
  }
  config.self_attention.erase(0, 1);
  if (state.contains_prefix("decode_head.class_embed.")) config.protocol = Protocol::kPaper;
  return config;
}

}  // namespace tagclip
