#pragma once

#include <filesystem>
#include <vector>

#include "infer/vocabulary.h"

namespace tagclip {

// Writes the embeddings of a vocabulary [C, d]: a .npy file with the class list beside it (the same
// name with .txt), or anything else as safetensors with classes and templates in the metadata.
// Files appear whole or not at all. Throws Error(kUsage) when classes have several rows
// (Synonyms::kMax), Error(kFailure) when a file cannot be written.
// Without `with_list` no class list is written.
void write_text_embeddings(const std::filesystem::path& path, const EmbeddedVocabulary& vocabulary,
                           bool with_list = true);

// Where write_text_embeddings puts the class list of a .npy file.
std::filesystem::path class_list_of(const std::filesystem::path& embeddings);

// Reads embeddings of that kind, or anybody's [C, d] .npy. `classes`: what the rows stand for;
// where there are none, the file's own or the list beside it. Which are seen, `model` says. Throws
// Error(kBadInput): not such a file, a row of other than d numbers, not finite or all zero, no
// class list, one of another length or with duplicates.
EmbeddedVocabulary read_text_embeddings(const std::filesystem::path& path,
                                        const InferenceModel& model,
                                        std::vector<ClassWords> classes = {});

}  // namespace tagclip
