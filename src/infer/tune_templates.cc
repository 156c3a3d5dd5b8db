#include "infer/tune_templates.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/error.h"
#include "clip/clip.h"
#include "clip/text_embeddings.h"

namespace tagclip {

TemplateTuner::TemplateTuner(const InferenceModel& model, const EmbeddedVocabulary& vocabulary,
                             double logit_scale, const EmbedOptions& options)
    : model_(model.model), vocabulary_(vocabulary), logit_scale_(logit_scale) {
  const c10::InferenceMode no_gradients;
  if (model_.scoring.activation != ScoreActivation::kSoftmax) {
    throw usage_error("templates are tuned for a CLIP as it is: a trained model has its own",
                      "choose another `mode` than trained");
  }
  const std::vector<std::string>& templates = vocabulary_.templates;
  if (templates.size() < 2) {
    throw usage_error("there is one template, so there is nothing to choose",
                      "set `prompt` to imagenet, or to a file of templates");
  }
  const auto has_several_rows = [](const ClassWords& entry) {
    return entry.synonyms == Synonyms::kMax && entry.words.size() > 1;
  };
  if (std::ranges::any_of(vocabulary_.classes, has_several_rows)) {
    throw usage_error("templates are tuned for classes of one embedding each",
                      "set `synonyms` to mean");
  }
  TAGCLIP_CHECK(model.text_tower != nullptr, "the words were embedded");
  std::vector<at::Tensor> rows;
  EmbedOptions of_one = options;
  of_one.source = model.text_source;
  vocabulary_.truncated.clear();
  const auto count = static_cast<int64_t>(templates.size());
  for (int64_t t = 0; t < count; ++t) {
    of_one.progress = [&](int64_t done, int64_t total) {
      return options.progress(t * total + done, count * total);
    };
    TextEmbeddings embedded = embed_classes(*model.text_tower, model.text_config,
                                            vocabulary_.classes, {templates[t]}, of_one);
    rows.push_back(std::move(embedded.rows));
    std::ranges::move(embedded.truncated, std::back_inserter(vocabulary_.truncated));
  }
  rows_ = at::stack(rows);
  entropy_ = at::zeros({rows_.size(0), rows_.size(1)}, at::kDouble);
  patches_ = at::zeros_like(entropy_);
}

void TemplateTuner::add(const EncodedPhoto& photo) {
  for (const EncodedView& view : photo.views) add(view.encoding);
}

void TemplateTuner::add(const Encoding& encoding) {
  const c10::InferenceMode no_gradients;
  for (int64_t t = 0; t < rows_.size(0); ++t) {
    const MaskLogits logits = (*model_.decoder)(encoding, rows_[t], {.logit_scale = logit_scale_});
    const at::Tensor log_shares =
        logits.classes.transpose(0, 1).flatten(1).log_softmax(0);  // [C, patches]
    const at::Tensor entropy = -(log_shares.exp() * log_shares).sum(0).to(at::kDouble).cpu();
    const at::Tensor labels = log_shares.argmax(0).cpu();
    entropy_[t].index_add_(0, labels, entropy);
    patches_[t].index_add_(0, labels, at::ones_like(entropy));
  }
}

EmbeddedVocabulary TemplateTuner::tuned() const {
  const c10::InferenceMode no_gradients;
  EmbeddedVocabulary result = vocabulary_;
  std::vector<at::Tensor> rows;
  for (int64_t c = 0; c < rows_.size(1); ++c) {
    const at::Tensor sees = patches_.select(1, c) > 0;
    const at::Tensor mean = (entropy_.select(1, c) / patches_.select(1, c).clamp_min(1))
                                .masked_fill(sees.logical_not(), HUGE_VAL);
    const int64_t found = sees.sum().item<int64_t>();
    const at::Tensor order = mean.argsort(/*stable=*/true);
    const int64_t experts = found == 0 ? rows_.size(0) : std::min<int64_t>(found, kExperts);
    std::vector<std::string> templates;
    const at::Tensor chosen = found == 0 ? at::arange(experts) : order.narrow(0, 0, experts);
    for (int64_t i = 0; i < experts; ++i) {
      templates.push_back(vocabulary_.templates[chosen[i].item<int64_t>()]);
    }
    result.class_templates.push_back(std::move(templates));
    rows.push_back(rows_.select(1, c).index_select(0, chosen.to(rows_.device())).mean(0));
  }
  result.embeddings = l2_normalize(at::stack(rows));
  return result;
}

}  // namespace tagclip
