#pragma once

#include "base/console.h"
#include "commands/commands.h"
#include "infer/vocabulary.h"
#include "ranks/ranks.h"

namespace tagclip {

// Loads what the options name, and tells what had to be assumed of it. A rank gets a GPU of its
// own.
InferenceModel load_model_noisily(const ModelOptions& options, const Ranks& ranks,
                                  Console& console);

// Throws Error(kFailure) where the file exists and the user did not ask for `overwrite`.
void check_free(const std::filesystem::path& file, bool overwrite);

// What the options ask for, read before any weights are: mistakes cost no time.
struct Wanted {
  std::vector<ClassWords> classes;     // empty: those the model was trained on
  std::vector<std::string> templates;  // empty: the model's own
};
Wanted read_words(const WordOptions& options);

// Embeds them, or reads their embeddings; tells what was cut and how many classes are new.
// Unfinished where console.stop_requested().
EmbeddedVocabulary embed_noisily(const InferenceModel& model, Wanted wanted,
                                 const WordOptions& options, Console& console);

}  // namespace tagclip
