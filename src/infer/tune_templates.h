#pragma once

#include <cstdint>
#include <functional>

#include "infer/photo_encoder.h"
#include "infer/vocabulary.h"

namespace tagclip {

// Templates chosen per class on photos without labels (FLOSS, Benigmim et al., ICCV 2025): of the
// classifiers that have one template each, those that are surest where they see a class are its
// experts.
class TemplateTuner {
 public:
  // As many experts per class as in the published code.
  static constexpr size_t kExperts = 4;

  // Embeds each class of the vocabulary in each of its templates; its embeddings are not read.
  // Throws Error(kUsage) where the words of a class are scored apart, there is one template, or the
  // model was trained to segment: its templates are those of its training.
  TemplateTuner(const InferenceModel& model, const EmbeddedVocabulary& vocabulary,
                double logit_scale, const EmbedOptions& options = {});

  // The vocabulary as it was given, with the texts that were cut.
  const EmbeddedVocabulary& vocabulary() const { return vocabulary_; }

  // Counts the patches of all views.
  void add(const EncodedPhoto& photo);

  // The vocabulary with the mean embedding of each class's experts: the templates of lowest mean
  // entropy over the patches that are labelled with the class in their classification. A class that
  // no template finds anywhere keeps all.
  EmbeddedVocabulary tuned() const;

 private:
  void add(const Encoding& encoding);

  DenseModel model_;
  EmbeddedVocabulary vocabulary_;
  double logit_scale_;
  at::Tensor rows_;     // [T, C, d]
  at::Tensor entropy_;  // [T, C], sums
  at::Tensor patches_;  // [T, C], numbers
};

}  // namespace tagclip
