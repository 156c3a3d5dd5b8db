#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "model/checkpoint.h"
#include "text/class_words.h"

namespace tagclip {

// The classes to look for, in the form a model takes them.
struct EmbeddedVocabulary {
  std::vector<ClassWords> classes;
  std::vector<bool> seen;  // per class: the model was trained on its labels
  bool inductive = true;   // see TrainedOn
  std::vector<std::string> templates;
  at::Tensor embeddings;               // [C, d], unit rows
  std::vector<std::string> truncated;  // texts that were too long for the text tower
};

// What of `classes` the model has seen (spec section 7.4): one of the words equals, whatever the
// letter case, a class it was trained on with labels.
std::vector<bool> seen_classes(const std::vector<ClassWords>& classes, const TrainedOn& trained_on);

// Embeds `classes`, or those the model was trained on where there are none, in `templates`: where
// there are none in the model's own, or in "a photo of a {}" when it has none. Throws
// Error(kBadInput) when the model has no text tower, or neither side names a class.
EmbeddedVocabulary embed_vocabulary(const LoadedModel& loaded, std::vector<ClassWords> classes = {},
                                    std::vector<std::string> templates = {});

}  // namespace tagclip
