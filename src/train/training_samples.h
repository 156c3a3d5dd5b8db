#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "data/label_sets.h"
#include "train/train_config.h"

namespace tagclip {

// Augmented training images. Each iteration is of one data set, drawn by the sets' shares: its
// classes alone are in question there. Every image of a set comes once per epoch of the set, in
// shuffled order. A sample depends on the seed, its iteration and its slot in the batch alone. Safe
// to use from several threads.
class TrainingSamples {
 public:
  // Both arguments must outlive it. Throws Error(kBadInput) when the setting has no class to train
  // on, to hide or to label.
  TrainingSamples(const TrainConfig& config, const LabelSets& data);

  int64_t side() const { return config_.augment.crop_size; }  // of the crops, in pixels
  int64_t batch() const { return config_.batch; }             // samples per iteration, all ranks

  // The data set of an iteration.
  size_t set_of(int64_t iteration) const { return single_ ? 0 : steps_[iteration].set; }
  // The images of an iteration, one per slot: positions in its data set.
  std::vector<int64_t> images(int64_t iteration) const;
  // Reads and augments an image for a slot of an iteration. Writes pixels [3, side, side],
  // normalised, and labels [side, side]: classes of the iteration's set or void_label. Throws
  // Error(kBadInput) for an image that cannot be read; with bad_photos = skip another one takes its
  // place, unless too many in a row are bad.
  void read(int64_t iteration, int64_t slot, int64_t image, float* pixels, int32_t* labels) const;
  // Which images were skipped, or read with a warning, since the last call, and why; each image is
  // named once per run.
  std::vector<std::string> take_warnings();

 private:
  struct Step {
    size_t set;
    int64_t number;  // among the steps of the set
  };

  LabelledImage read_image(int64_t iteration, int64_t slot, int64_t image) const;
  void warn(size_t set, int64_t image, const std::string& what) const;

  const TrainConfig& config_;
  const LabelSets& data_;
  bool single_;
  std::vector<Step> steps_;   // per iteration, where there are several sets
  mutable std::mutex mutex_;  // guards the rest
  mutable std::set<std::pair<size_t, int64_t>> noted_images_;
  mutable std::vector<std::string> warnings_;
};

}  // namespace tagclip
