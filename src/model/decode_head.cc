#include "model/decode_head.h"

#include "base/error.h"
#include "model/start_values.h"

namespace tagclip {
namespace {

// The published checkpoints spell it so.
Linear descriptor(const ParameterScope& scope, const ModelConfig& config) {
  const int64_t d = config.clip.embedding;
  return head_descriptor(scope / "relationship_discriptor" / "q_proj", 2 * d, d, config);
}

}  // namespace

int64_t learner_input_width(LearnerInput input, int64_t d) {
  return input == LearnerInput::kTHat || input == LearnerInput::kConcat ? 2 * d : d;
}

at::Tensor learner_input(LearnerInput input, const at::Tensor& tokens, const at::Tensor& image) {
  at::Tensor product = tokens.unsqueeze(0) * image.unsqueeze(1);  // [B, Q, d]
  at::Tensor text = tokens.unsqueeze(0).expand_as(product);
  at::Tensor repeated = image.unsqueeze(1).expand_as(product);
  switch (input) {
    case LearnerInput::kTHat:
      return at::cat({product, text}, 2);
    case LearnerInput::kText:
      return text;
    case LearnerInput::kImage:
      return repeated;
    case LearnerInput::kProduct:
      return product;
    case LearnerInput::kConcat:
      return at::cat({text, repeated}, 2);
  }
  TAGCLIP_CHECK(false, "no such input of the Trusty Learner");
}

TrustyLearner::Input::Input(const ParameterScope& scope, LearnerInput kind,
                            const ModelConfig& config)
    : kind(kind),
      projection(head_descriptor(scope, learner_input_width(kind, config.clip.embedding),
                                 config.clip.embedding, config)) {}

at::Tensor TrustyLearner::Input::operator()(const at::Tensor& tokens,
                                            const at::Tensor& image) const {
  return projection(learner_input(kind, tokens, image));
}

TrustyLearner::TrustyLearner(const ParameterScope& scope, const ModelConfig& config)
    : query_(scope / "query", config.learner_query, config),
      key_(scope / "key", config.learner_key, config),
      value_(scope / "value", config.learner_value, config),
      attention_(scope / "attention", config),
      norm_(scope / "norm", config.clip.embedding) {
  const int64_t d = config.clip.embedding;
  if (config.learner_text_after) join_.emplace(head_linear(scope / "join", 2 * d, d, config));
}

at::Tensor TrustyLearner::operator()(const at::Tensor& tokens, const at::Tensor& image,
                                     const Dropout& dropout) const {
  const at::Tensor query = query_(tokens, image);
  const at::Tensor attended =
      attention_(query, key_(tokens, image), value_(tokens, image), dropout);
  const at::Tensor learnt = norm_(query + dropout(attended));
  return join_ ? (*join_)(at::cat({learnt, tokens.unsqueeze(0).expand_as(learnt)}, 2)) : learnt;
}

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

}  // namespace tagclip
