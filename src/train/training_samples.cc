#include "train/training_samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/labels.h"
#include "data/augment.h"
#include "data/random.h"
#include "train/step_input.h"

namespace tagclip {
namespace {

constexpr int kReplacements = 20;  // images tried for a slot before the set counts as broken
constexpr int64_t kReplacementSlots = 1 << 20;  // of sample_random, from here on: replacements

void check_classes(const TrainConfig& config, const Dataset& data) {
  const std::string folder = data.folder().string();
  const auto seen = std::ranges::count(data.seen(), true);
  if (seen == 0 && config.setting != Setting::kSupervised) {
    throw bad_input(folder + ": every class is unseen", "setting = supervised trains on all");
  }
  if (config.setting == Setting::kTransductive && seen == std::ssize(data.seen())) {
    throw bad_input(folder + ": every class is seen, so there is nothing to self-train",
                    "name unseen classes (unseen), or set setting = supervised");
  }
  if (seen < 2 && never_reads_unseen(config)) {
    throw bad_input(folder + ": has one seen class, which cannot be held out",
                    "set trusty_source = annotations");
  }
}

}  // namespace

TrainingSamples::TrainingSamples(const TrainConfig& config, const Dataset& data)
    : config_(config), data_(data) {
  check_classes(config, data);
}

std::vector<int64_t> TrainingSamples::images(int64_t iteration) const {
  return shuffled_batch(config_.seed, static_cast<int64_t>(data_.size()), config_.batch, iteration);
}

void TrainingSamples::warn(int64_t image, const std::string& what) const {
  const std::lock_guard lock(mutex_);
  if (noted_images_.insert(image).second) warnings_.push_back(what);
}

std::vector<std::string> TrainingSamples::take_warnings() {
  const std::lock_guard lock(mutex_);
  return std::exchange(warnings_, {});
}

LabelledImage TrainingSamples::read_image(int64_t iteration, int64_t slot, int64_t image) const {
  const auto read = [&] {
    LabelledImage sample = data_.read(image);
    if (!sample.image.warning.empty()) warn(image, sample.image.warning);
    return sample;
  };
  if (config_.bad_photos == BadImagePolicy::kFail) return read();
  std::mt19937_64 random = sample_random(config_.seed, iteration, kReplacementSlots + slot);
  for (int tries = 0; tries < kReplacements; ++tries) {
    try {
      return read();
    } catch (const Error& error) {
      warn(image, std::string("a training photo is skipped: ") + error.what());
      image = static_cast<int64_t>(uniform_index(random, data_.size()));
    }
  }
  throw bad_input(fmt::format("{}: {} images in a row could not be read", data_.folder().string(),
                              kReplacements),
                  "tagclip data check looks at all of them");
}

void TrainingSamples::read(int64_t iteration, int64_t slot, int64_t image, float* pixels,
                           int32_t* labels) const {
  LabelledImage original = read_image(iteration, slot, image);
  if (never_reads_unseen(config_)) {
    for (uint16_t& label : original.labels.labels) {
      if (label != kIgnoreIndex && !data_.seen()[label]) label = kIgnoreIndex;
    }
  }
  std::mt19937_64 random = sample_random(config_.seed, iteration, slot);
  const LabelMap crop = augment(original.image, original.labels, config_.augment, random, pixels);
  const auto no_class = static_cast<int32_t>(void_label(data_.classes().size()));
  std::ranges::transform(crop.labels, labels, [&](uint16_t label) {
    return label == kIgnoreIndex ? no_class : int32_t{label};
  });
}

}  // namespace tagclip
