#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/photo_tables.h"
#include "train/pretrain_config.h"

namespace tagclip {

// A photo and all that is known of it and used by a loss.
struct PretrainPhoto {
  std::string key;                    // in its shard, or its name in the set's list
  std::vector<std::byte> encoded;     // the file, for one of a shard
  size_t item = 0;                    // its place in the labelled set
  std::vector<std::string> captions;  // may be empty
  SoftNames names;                    // may be empty
};

struct PretrainPhotos {
  std::string title;            // what messages call it
  std::optional<Dataset> data;  // nothing for shards
  std::vector<PretrainPhoto> photos;
  int64_t unused = 0;     // photos left out because no loss can use them
  int64_t slots = 0;      // photos in each batch
  bool labelled = false;  // whether the labels of `data` are used
  // Per class: loss.label_balance times the logarithm of its share of the labels, of which it has
  // one more than there are. Empty where the loss is not balanced.
  std::vector<float> label_priors;
};

// All photos of a pretraining run.
class PretrainSources {
 public:
  // Reads lists, captions and names, and all labels where loss.label_balance counts them; photos of
  // shards stay encoded, those of sets stay in their files. `config` must outlive it. Throws
  // Error(kBadInput) as the readers of these files, for a source without a photo that any loss can
  // use, and when a table has no line for any photo; Error(kUsage) for shares that do not fit the
  // batch.
  explicit PretrainSources(const PretrainConfig& config);

  const std::vector<PretrainPhotos>& all() const { return sources_; }
  const std::vector<ClassWords>& names() const { return names_; }  // of loss.names, else empty
  // A photo, with its labels where its source uses them: those of unseen classes are void. From
  // then on it is kept decoded, as far as config.cache allows. Safe to call from several threads.
  std::shared_ptr<const LabelledImage> read(const PretrainPhotos& source, int64_t photo) const;
  // Identifies photos of shards by their bytes, those of sets by their names; captions, names,
  // words, and which classes are hidden.
  std::string fingerprint() const;

 private:
  LabelledImage decode(const PretrainPhotos& source, const PretrainPhoto& photo) const;

  const PretrainConfig& config_;
  std::vector<PretrainPhotos> sources_;
  std::vector<ClassWords> names_;

  mutable std::mutex mutex_;  // guards the rest
  mutable std::vector<std::vector<std::shared_ptr<const LabelledImage>>> decoded_;
  mutable int64_t decoded_bytes_ = 0;
};

// The photos of each source in a batch: proportional to the shares, and at least one. A source
// without a share has its part, by the number of photos, of what the others leave. Throws
// Error(kUsage) where that is impossible.
std::vector<int64_t> slots_of_sources(const std::vector<PretrainSource>& sources,
                                      const std::vector<int64_t>& photos, int64_t batch);

}  // namespace tagclip
