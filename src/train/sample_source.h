#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "data/augment.h"
#include "data/dataset.h"
#include "train/train_config.h"

namespace tagclip {

// Augmented training photos: every photo once an epoch in shuffled order. A sample depends on
// nothing but the seed, its iteration and its place in the batch. Safe to use from many threads.
class SampleSource {
 public:
  // Both arguments must outlive the source. Throws Error(kBadInput) when the classes leave nothing
  // to train on.
  SampleSource(const TrainConfig& config, const Dataset& data);

  int64_t side() const { return config_.augment.crop_size; }  // of the crops
  int64_t batch() const { return config_.batch; }             // photos an iteration, over all ranks

  // The photos of an iteration, by slot: positions in the data set.
  std::vector<int64_t> photos(int64_t iteration) const;
  // Of photo `photo` in slot `slot` of an iteration: pixels [3, side, side], normalised; labels
  // [side, side], classes of the data set or void_label. Throws Error(kBadInput) for a photo that
  // cannot be read, or when too many cannot.
  void read(int64_t iteration, int64_t slot, int64_t photo, float* pixels, int32_t* labels) const;
  // What was wrong with photos that were skipped, once a photo, since the last call.
  std::vector<std::string> take_complaints();

 private:
  LabelledImage read_photo(int64_t iteration, int64_t slot, int64_t photo) const;
  void complain(int64_t photo, const std::string& what) const;

  const TrainConfig& config_;
  const Dataset& data_;
  mutable std::mutex mutex_;  // of what follows
  mutable std::set<int64_t> bad_photos_;
  mutable std::vector<std::string> complaints_;
};

}  // namespace tagclip
