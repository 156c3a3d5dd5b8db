#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tagclip {

// Text embeddings kept on the disk, so that a word costs the text tower once: an SQLite file, which
// several processes may use at a time.
class EmbeddingCache {
 public:
  // Creates the file and its folder where they are missing. Throws Error(kFailure) when that cannot
  // be done, or the file is no such cache.
  explicit EmbeddingCache(const std::filesystem::path& file);
  ~EmbeddingCache();

  // The embedding of each word in the prompt `templates` (as one text) by the text tower with this
  // fingerprint, [size] floats each; nothing where it is not kept. Throws Error(kFailure) when the
  // file cannot be read.
  std::vector<std::optional<std::vector<float>>> find(const std::string& tower,
                                                      const std::string& templates,
                                                      const std::vector<std::string>& words,
                                                      size_t size) const;
  // Keeps embeddings, [words, size] row-major; all or none of them. Throws Error(kFailure), also
  // where the disk is full.
  void keep(const std::string& tower, const std::string& templates,
            const std::vector<std::string>& words, const float* embeddings, size_t size);

 private:
  struct Database;
  std::unique_ptr<Database> database_;
};

}  // namespace tagclip
