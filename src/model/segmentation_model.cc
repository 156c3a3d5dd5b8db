#include "model/segmentation_model.h"

namespace tagclip {
namespace {

ModelConfig checked(ModelConfig config) {
  config.check();
  return config;
}

// Everything that encodings depend on: the weights under backbone, and settings that leave no trace
// in their shapes.
std::vector<at::Tensor> fingerprinted(const SegmentationModel& model) {
  const ModelConfig& config = model.config;
  std::vector<at::Tensor> tensors = {at::tensor(
      {config.clip.vision_heads, static_cast<int64_t>(config.clip.activation)}, at::kLong)};
  for (const Parameter& parameter : model.parameters.all()) {
    if (parameter.name.starts_with("backbone.")) tensors.push_back(parameter.tensor);
  }
  const bool all_layers = config.prompted_layers() == config.clip.vision_layers;
  if (config.prompts > 0 && (config.carries_prompts() || !all_layers)) {
    tensors.push_back(at::tensor({static_cast<int64_t>(config.carries_prompts()),
                                  static_cast<int64_t>(config.applies_prompt_norm())},
                                 at::kLong));
  }
  return tensors;
}

}  // namespace

SegmentationModel::SegmentationModel(const ModelConfig& model_config, bool with_text_tower)
    : config(checked(model_config)),
      encoder(ParameterScope(parameters, "backbone"), config),
      head(ParameterScope(parameters, "decode_head"), config) {
  if (with_text_tower)
    text_encoder.emplace(ParameterScope(parameters, "text_encoder"), config.clip);
}

DenseModel dense_model(const SegmentationModel& model) {
  EncoderInfo info{.device = model.device(),
                   .clip = model.config.clip,
                   .normalization = {},
                   .windows = {.window = static_cast<double>(model.config.clip.resolution),
                               .stride = 426.0 / 512},
                   .fingerprint = std::make_shared<Fingerprint>(fingerprinted(model))};
  return {.encoder = std::make_shared<FrozenPromptedEncoder>(model.encoder, std::move(info)),
          .decoder = std::make_shared<DecodeHead>(model.head),
          .scoring = score_semantics(model.config)};
}

ScoreSemantics score_semantics(const ModelConfig& config) {
  return {.trusty_means_seen = config.protocol == Protocol::kPaper};
}

void SegmentationModel::set_trained() {
  parameters.set_trained([this](const std::string& name) { return is_trained(name, config); });
}

bool is_trained(const std::string& parameter, const ModelConfig& config) {
  if (parameter.starts_with("backbone.prompt_norm.")) return config.applies_prompt_norm();
  if (parameter.starts_with("backbone.")) return parameter.find("prompt_") != std::string::npos;
  if (!parameter.starts_with("decode_head.")) return false;
  const std::string layers = "decode_head.decoder.layers.";
  if (!parameter.starts_with(layers)) return true;

  const int64_t layer = std::stoll(parameter.substr(layers.size()));
  const auto is = [&](const char* part) { return parameter.find(part) != std::string::npos; };
  if (is(".self_attn.") || is(".norm1.")) return config.has_self_attention(layer);
  if (is(".multihead_attn.q.") || is(".multihead_attn.k.")) return true;
  // The last layer's output is read by the presence head alone.
  return layer + 1 < config.decoder_layers || config.has_presence_head();
}

}  // namespace tagclip
