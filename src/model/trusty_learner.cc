#include "model/trusty_learner.h"

#include "base/error.h"
#include "model/start_values.h"

namespace tagclip {

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

}  // namespace tagclip
