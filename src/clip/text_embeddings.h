#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "clip/clip.h"
#include "clip/embedding_cache.h"
#include "text/class_words.h"

namespace tagclip {

struct TextEmbeddings {
  at::Tensor rows;  // [R, d], unit length
  // Number of rows per class, in order: one, or one per synonym (Synonyms::kMax).
  std::vector<int64_t> rows_of_class;
  std::vector<std::string> truncated;  // texts that were longer than the tower's context
  int64_t from_cache = 0;              // words
};

struct EmbedOptions {
  EmbeddingCache* cache = nullptr;  // looked up first; new words are stored in it
  // What stands for the tower in the cache. Empty: its fingerprint, which takes reading it.
  std::string tower = {};
  // Called with (texts done, texts in all); false stops, which leaves the rows undefined.
  std::function<bool(int64_t, int64_t)> progress = [](int64_t, int64_t) { return true; };
  std::string source = "the text tower";  // its weights, for messages
};

// The text embeddings of classes (spec section 1). A word's is the mean, over the templates, of the
// unit embeddings of its texts; a class's the mean of its words' where synonyms are averaged.
// Memory is bounded whatever the number of texts. Throws as EmbeddingCache, and Error(kBadInput)
// naming the word whose embedding is not finite, before it is stored.
TextEmbeddings embed_classes(const TextTower& tower, const ClipConfig& config,
                             const std::vector<ClassWords>& classes,
                             const std::vector<std::string>& templates,
                             const EmbedOptions& options = {});

}  // namespace tagclip
