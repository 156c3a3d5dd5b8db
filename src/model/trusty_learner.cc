#include "model/trusty_learner.h"

#include "base/error.h"

namespace tagclip {
namespace {

const Initialiser kInit = truncated_normal(0.02);

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

TrustyLearner::Input::Input(const ParameterScope& scope, LearnerInput kind, int64_t d)
    : kind(kind), projection(scope, learner_input_width(kind, d), d, kInit) {}

at::Tensor TrustyLearner::Input::operator()(const at::Tensor& tokens,
                                            const at::Tensor& image) const {
  return projection(learner_input(kind, tokens, image));
}

TrustyLearner::TrustyLearner(const ParameterScope& scope, const ModelConfig& config)
    : query_(scope / "query", config.learner_query, config.clip.embedding),
      key_(scope / "key", config.learner_key, config.clip.embedding),
      value_(scope / "value", config.learner_value, config.clip.embedding),
      attention_(scope / "attention", config.clip.embedding, config.decoder_heads),
      norm_(scope / "norm", config.clip.embedding) {
  const int64_t d = config.clip.embedding;
  if (config.learner_text_after) join_.emplace(scope / "join", 2 * d, d, kInit);
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
