#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tagclip {

// Text embeddings that were computed before, so that a word costs the text tower once.
class EmbeddingCache {
 public:
  virtual ~EmbeddingCache() = default;

  // The embedding of each word in the prompt `templates` (as one text) by the text tower with this
  // fingerprint, [size] floats each; nothing where it is not kept.
  virtual std::vector<std::optional<std::vector<float>>> find(const std::string& tower,
                                                              const std::string& templates,
                                                              const std::vector<std::string>& words,
                                                              size_t size) const = 0;
  // Keeps embeddings, [words, size] row-major.
  virtual void keep(const std::string& tower, const std::string& templates,
                    const std::vector<std::string>& words, const float* embeddings,
                    size_t size) = 0;
};

// Keeps them on the disk: an SQLite file, which several processes may use at a time. Both functions
// throw Error(kFailure) when the file cannot be read or the disk is full; of the words of one call
// all are kept or none.
class EmbeddingDatabase final : public EmbeddingCache {
 public:
  // Creates the file and its folder where they are missing. Throws Error(kFailure) when that cannot
  // be done, or the file is no such cache.
  explicit EmbeddingDatabase(const std::filesystem::path& file);
  ~EmbeddingDatabase() override;

  std::vector<std::optional<std::vector<float>>> find(const std::string& tower,
                                                      const std::string& templates,
                                                      const std::vector<std::string>& words,
                                                      size_t size) const override;
  void keep(const std::string& tower, const std::string& templates,
            const std::vector<std::string>& words, const float* embeddings, size_t size) override;

 private:
  struct Database;
  std::unique_ptr<Database> database_;
};

}  // namespace tagclip
