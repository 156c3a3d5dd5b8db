#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <string>
#include <vector>

#include "clip/text_embeddings.h"
#include "infer/inference_model.h"
#include "text/class_words.h"

namespace tagclip {

// The classes to look for, read and checked before any weights are.
struct VocabularyRequest {
  std::vector<ClassWords> classes;        // empty: those the model was trained on
  std::vector<std::string> templates;     // empty: the model's own
  std::filesystem::path text_embeddings;  // a file of the classes' embeddings; empty: embed them
  // Whether embedded words are read from the user's cache folder and kept there. Otherwise the
  // pipeline keeps the most recent ones in memory.
  bool use_cache = true;
  std::vector<std::string> remarks = {};  // what the user should know of how they were read
};

// Throws Error(kUsage) for options that do not go together, and as parse_classes, add_background
// and parse_templates.
VocabularyRequest parse_vocabulary(const VocabularyOptions& options);

// The classes to look for, in the form a model takes them.
struct EmbeddedVocabulary {
  std::vector<ClassWords> classes;
  std::vector<bool> seen;  // per class: the model was trained on its labels
  bool inductive = true;   // see TrainedOn
  std::vector<std::string> templates;
  // Per class, where they were chosen for it: those of its embedding; see TemplateTuner.
  std::vector<std::vector<std::string>> class_templates = {};
  at::Tensor embeddings;               // [R, d], unit rows
  std::vector<int64_t> rows_of_class;  // per class: its number of rows; empty: one each
  std::vector<std::string> truncated;  // texts that were too long for the text tower
  int64_t from_cache = 0;              // words whose embeddings were in the cache
  std::vector<std::string> same;       // what was left out because it is the same to CLIP
  at::Tensor everyday = {};            // [R, d]; see presence.h; undefined: not asked for
};

// Which of `classes` the model has seen (spec section 7.4): one of the words is the same to CLIP as
// the name or a synonym of a class it was trained on with labels.
std::vector<bool> seen_classes(const std::vector<ClassWords>& classes, const TrainedOn& trained_on);

// Returns the classes the model was trained on. Throws Error(kBadInput) naming the `source` when it
// does not say.
std::vector<ClassWords> trained_classes(const TrainedOn& trained_on, const std::string& source);

// The same classes, where those whose words, with commas between them, are together the name of a
// class the model was trained on have that name alone: earlier versions took "building, edifice"
// for one name.
std::vector<ClassWords> with_trained_names(std::vector<ClassWords> classes,
                                           const TrainedOn& trained_on);

// Returns the vocabulary before its texts are embedded: `classes`, or those the model was trained
// on where there are none, in `templates`, or in the model's own where there are none, or in "a
// photo of a {}" when it has none either. Classes that the text tower cannot tell apart become one
// (see distinct_classes). Throws Error(kBadInput) when the model has no text tower, or neither side
// names a class.
EmbeddedVocabulary resolve_vocabulary(const InferenceModel& model, std::vector<ClassWords> classes,
                                      std::vector<std::string> templates);

// Embeds a resolved vocabulary. Throws as resolve_vocabulary and embed_classes.
EmbeddedVocabulary embed_vocabulary(const InferenceModel& model,
                                    std::vector<ClassWords> classes = {},
                                    std::vector<std::string> templates = {},
                                    const EmbedOptions& options = {});

// The logits of the classes, each the largest of its rows'. `of_rows`: what `decode` says of the
// vocabulary's rows.
MaskLogits logits_of_classes(MaskLogits of_rows, const EmbeddedVocabulary& vocabulary);

}  // namespace tagclip
