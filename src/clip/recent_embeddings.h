#pragma once

#include <list>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "clip/embedding_cache.h"

namespace tagclip {

// Keeps text embeddings in memory: those asked for most recently, up to a number of bytes. Safe to
// use from several threads.
class RecentEmbeddings final : public EmbeddingCache {
 public:
  explicit RecentEmbeddings(size_t max_bytes) : max_bytes_(max_bytes) {}

  std::vector<std::optional<std::vector<float>>> find(const std::string& tower,
                                                      const std::string& templates,
                                                      const std::vector<std::string>& words,
                                                      size_t size) const override;
  void keep(const std::string& tower, const std::string& templates,
            const std::vector<std::string>& words, const float* embeddings, size_t size) override;

  size_t bytes() const;  // of what is kept, keys included

 private:
  struct Entry {
    std::string key;
    std::vector<float> embedding;
    // The key is held twice, by the list and by its index.
    size_t bytes() const { return 2 * key.size() + embedding.size() * sizeof(float); }
  };

  const size_t max_bytes_;
  mutable std::mutex mutex_;          // guards what follows
  mutable std::list<Entry> entries_;  // the most recent first
  std::unordered_map<std::string, std::list<Entry>::iterator> places_;
  size_t bytes_ = 0;
};

}  // namespace tagclip
