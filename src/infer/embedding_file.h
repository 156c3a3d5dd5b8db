#pragma once

#include <filesystem>
#include <vector>

#include "infer/vocabulary.h"

namespace tagclip {

// Writes the embeddings of a vocabulary, [C, d]: as .npy with the class list beside it (the same
// name with .txt; not without `with_list`), or by any other name as safetensors with classes and
// templates, also those of each class, in the metadata. Files appear whole or not at all. Throws
// Error(kUsage) when classes have several rows (Synonyms::kMax), Error(kFailure) when a file cannot
// be written.
void write_text_embeddings(const std::filesystem::path& path, const EmbeddedVocabulary& vocabulary,
                           bool with_list = true);

// The path at which write_text_embeddings puts the class list of a .npy file.
std::filesystem::path class_list_of(const std::filesystem::path& embeddings);

// Reads such a file, or any [C, d] .npy. `classes`: what the rows stand for; where there are none,
// the file's own or the list beside it. `model` tells which of them are seen. Throws
// Error(kBadInput): not such a file, a row of other than d numbers, not finite or all zero, no
// class list, one of another length. Classes that are the same to CLIP become one, with the first
// one's row.
EmbeddedVocabulary read_text_embeddings(const std::filesystem::path& path,
                                        const InferenceModel& model,
                                        std::vector<ClassWords> classes = {});

}  // namespace tagclip
