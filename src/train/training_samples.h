#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "train/train_config.h"

namespace tagclip {

// Augmented training images: every image once per epoch in shuffled order. A sample depends on the
// seed, its iteration and its slot in the batch alone. Safe to use from several threads.
class TrainingSamples {
 public:
  // Both arguments must outlive it. Throws Error(kBadInput) when the setting has no class to train
  // on, to hide or to label.
  TrainingSamples(const TrainConfig& config, const Dataset& data);

  int64_t side() const { return config_.augment.crop_size; }  // of the crops, in pixels
  int64_t batch() const { return config_.batch; }             // samples per iteration, all ranks

  // The images of an iteration, one per slot: positions in the data set.
  std::vector<int64_t> images(int64_t iteration) const;
  // Reads and augments an image for a slot of an iteration. Writes pixels [3, side, side],
  // normalised, and labels [side, side]: classes of the data set or void_label. Throws
  // Error(kBadInput) for an image that cannot be read; with bad_photos = skip another one takes its
  // place, unless too many in a row are bad.
  void read(int64_t iteration, int64_t slot, int64_t image, float* pixels, int32_t* labels) const;
  // Which images were skipped, or read with a warning, since the last call, and why; each image is
  // named once per run.
  std::vector<std::string> take_warnings();

 private:
  LabelledImage read_image(int64_t iteration, int64_t slot, int64_t image) const;
  void warn(int64_t image, const std::string& what) const;

  const TrainConfig& config_;
  const Dataset& data_;
  mutable std::mutex mutex_;  // guards the rest
  mutable std::set<int64_t> noted_images_;
  mutable std::vector<std::string> warnings_;
};

}  // namespace tagclip
