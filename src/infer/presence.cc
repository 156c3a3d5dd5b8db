#include "infer/presence.h"

#include <c10/core/InferenceMode.h>

#include <cmath>

#include "base/error.h"
#include "text/common_words.h"

namespace tagclip {

at::Tensor embed_everyday_words(const InferenceModel& model, const EmbeddedVocabulary& vocabulary,
                                const EmbedOptions& options) {
  if (!model.text_tower) {
    throw usage_error("`presence` compares with other words, which takes a text tower",
                      "set `text_weights` to the CLIP the weights were made from");
  }
  std::vector<ClassWords> classes;
  for (const std::string_view word : kEverydayWords) classes.push_back({{std::string(word)}});
  std::vector<std::string> templates =
      vocabulary.templates.empty() ? model.templates : vocabulary.templates;
  if (templates.empty()) templates = parse_templates("single");
  EmbedOptions named = options;
  named.source = model.text_source;
  return embed_classes(*model.text_tower, model.text_config, classes, templates, named).rows;
}

std::vector<double> presence_scores(const at::Tensor& images, const EmbeddedVocabulary& vocabulary,
                                    const std::vector<double>& of_kind) {
  const c10::InferenceMode no_gradients;
  TAGCLIP_CHECK(vocabulary.everyday.defined(), "the vocabulary holds the everyday words");
  const at::Tensor others = images.matmul(vocabulary.everyday.t());  // [K, R]
  const at::Tensor cosines = images.matmul(vocabulary.embeddings.t());
  const at::Tensor deviations =
      (cosines - others.mean(1, /*keepdim=*/true)) / others.std(1, true, /*keepdim=*/true);
  const at::Tensor best = deviations.amax(0).to(at::kDouble).cpu().contiguous();  // [rows]
  std::vector<double> scores;
  int64_t row = 0;
  for (size_t c = 0; c < vocabulary.classes.size(); ++c) {
    const int64_t rows = vocabulary.rows_of_class.empty() ? 1 : vocabulary.rows_of_class[c];
    const double deviation = best.narrow(0, row, rows).max().item<double>();
    row += rows;
    const double below = 0.5 * std::erfc(-deviation / std::sqrt(2.0));
    scores.push_back(of_kind.empty() ? below : below * of_kind[c]);
  }
  return scores;
}

}  // namespace tagclip
