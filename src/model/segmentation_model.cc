#include "model/segmentation_model.h"

#include "base/error.h"
#include "clip/fingerprint.h"
#include "model/start_values.h"

namespace tagclip {
namespace {

// The published checkpoints spell it so.
Linear descriptor(const ParameterScope& scope, const ModelConfig& config) {
  const int64_t d = config.clip.embedding;
  return head_descriptor(scope / "relationship_discriptor" / "q_proj", 2 * d, d, config);
}

}  // namespace

DecodeHead::DecodeHead(const ParameterScope& scope, const ModelConfig& config)
    : relation_(config.has_own_learner() ? Relation(TrustyLearner(scope / "learner", config))
                                         : Relation(descriptor(scope, config))),
      decoder_(scope / "decoder", config) {
  const int64_t d = config.clip.embedding;
  if (config.trusty_token) trusty_token_ = scope.add("disc_token", {1, d}, xavier_uniform());
  if (config.has_presence_head()) {
    presence_.emplace(head_linear(scope / "class_embed", d, 1, config));
  }
}

at::Tensor DecodeHead::queries(const at::Tensor& text, const at::Tensor& image,
                               const Dropout& dropout, const DecodeOptions& options) const {
  const at::Tensor tokens = uses_token(options) ? at::cat({text, trusty_token_}) : text;
  if (const auto* learner = std::get_if<TrustyLearner>(&relation_)) {
    return (*learner)(tokens, image, dropout);
  }
  return std::get<Linear>(relation_)(learner_input(LearnerInput::kTHat, tokens, image));
}

MaskLogits DecodeHead::operator()(const Encoding& encoding, const at::Tensor& text,
                                  const Dropout& dropout, const DecodeOptions& options) const {
  const auto [logits, final_queries] = decoder_(queries(text, encoding.image, dropout, options),
                                                encoding.patches, presence_.has_value(), dropout);
  const int64_t classes = text.size(0);
  const at::Tensor maps = logits.unflatten(2, {encoding.height, encoding.width});
  MaskLogits result{.classes = maps.narrow(1, 0, classes)};
  if (uses_token(options)) result.trusty = maps.narrow(1, classes, 1);
  if (presence_) result.presence = (*presence_)(final_queries.narrow(1, 0, classes)).squeeze(2);
  return result;
}

SegmentationModel::SegmentationModel(const ModelConfig& model_config, bool with_text_tower)
    : config((model_config.check(), model_config)),
      encoder(ParameterScope(parameters, "backbone"), config),
      head(ParameterScope(parameters, "decode_head"), config) {
  if (with_text_tower)
    text_encoder.emplace(ParameterScope(parameters, "text_encoder"), config.clip);
}

void SegmentationModel::pack(GemmPrecision precision) {
  check_runs_here(precision, device());
  packed_fingerprint_ = encoder_fingerprint();
  parameters.forget("backbone.");
  encoder.freeze(precision);
}

std::string SegmentationModel::encoder_fingerprint() const {
  if (!packed_fingerprint_.empty()) return packed_fingerprint_;
  std::vector<at::Tensor> tensors = {at::tensor(
      {config.clip.vision_heads, static_cast<int64_t>(config.clip.activation)}, at::kLong)};
  for (const Parameter& parameter : parameters.all()) {
    if (parameter.name.starts_with("backbone.")) tensors.push_back(parameter.tensor);
  }
  return fingerprint(tensors);
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
