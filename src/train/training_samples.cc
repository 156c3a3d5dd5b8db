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

constexpr int64_t kSetSlot = -5;   // of sample_random
constexpr int kReplacements = 20;  // images tried for a slot before the set counts as broken
constexpr int64_t kReplacementSlots = 1 << 20;  // of sample_random, from here on: replacements

void check_classes(const TrainConfig& config, const LabelSets& data) {
  for (const LabelSets::Entry& entry : data) {
    const std::string folder = entry.data.folder().string();
    const auto seen = std::ranges::count(entry.seen, true);
    if (seen == 0 && config.setting != Setting::kSupervised) {
      throw bad_input(folder + ": every class is unseen", "setting = supervised trains on all");
    }
    if (seen < 2 && never_reads_unseen(config)) {
      throw bad_input(folder + ": has one seen class, which cannot be held out",
                      "set trusty_source = annotations");
    }
  }
  if (config.setting == Setting::kTransductive &&
      std::ranges::count(data.classes().seen, false) == 0) {
    const std::string where = data.single() ? data[0].data.folder().string() : "the data sets";
    throw bad_input(where + ": every class is seen, so there is nothing to self-train",
                    "name unseen classes (unseen), or set setting = supervised");
  }
}

// The index of the set whose part of [0, 1) holds `number`.
size_t set_at(const LabelSets& data, double number) {
  for (size_t s = 0; s + 1 < data.size(); ++s) {
    if (number < data[s].share) return s;
    number -= data[s].share;
  }
  return data.size() - 1;
}

}  // namespace

// One generator draws the sets of all iterations, so that a longer run begins as a shorter one.
TrainingSamples::TrainingSamples(const TrainConfig& config, const LabelSets& data)
    : config_(config), data_(data), single_(data.single()) {
  check_classes(config, data);
  if (single_) return;
  std::mt19937_64 random = sample_random(config.seed, 0, kSetSlot);
  std::vector<int64_t> done(data.size());
  steps_.reserve(config.schedule.iterations);
  for (int64_t i = 0; i < config.schedule.iterations; ++i) {
    const size_t set = set_at(data, uniform(random));
    steps_.push_back({set, done[set]++});
  }
}

std::vector<int64_t> TrainingSamples::images(int64_t iteration) const {
  const int64_t number = single_ ? iteration : steps_[iteration].number;
  const auto photos = static_cast<int64_t>(data_[set_of(iteration)].data.size());
  return shuffled_batch(config_.seed, photos, config_.batch, number);
}

void TrainingSamples::warn(size_t set, int64_t image, const std::string& what) const {
  const std::lock_guard lock(mutex_);
  if (noted_images_.insert({set, image}).second) warnings_.push_back(what);
}

std::vector<std::string> TrainingSamples::take_warnings() {
  const std::lock_guard lock(mutex_);
  return std::exchange(warnings_, {});
}

LabelledImage TrainingSamples::read_image(int64_t iteration, int64_t slot, int64_t image) const {
  const size_t set = set_of(iteration);
  const Dataset& data = data_[set].data;
  const auto read = [&] {
    LabelledImage sample = data.read(image);
    if (!sample.image.warning.empty()) warn(set, image, sample.image.warning);
    return sample;
  };
  if (config_.bad_photos == BadImagePolicy::kFail) return read();
  std::mt19937_64 random = sample_random(config_.seed, iteration, kReplacementSlots + slot);
  for (int tries = 0; tries < kReplacements; ++tries) {
    try {
      return read();
    } catch (const Error& error) {
      warn(set, image, std::string("a training photo is skipped: ") + error.what());
      image = static_cast<int64_t>(uniform_index(random, data.size()));
    }
  }
  throw bad_input(fmt::format("{}: {} images in a row could not be read", data.folder().string(),
                              kReplacements),
                  "tagclip data check looks at all of them");
}

void TrainingSamples::read(int64_t iteration, int64_t slot, int64_t image, float* pixels,
                           int32_t* labels) const {
  LabelledImage original = read_image(iteration, slot, image);
  const std::vector<bool>& seen = data_[set_of(iteration)].seen;
  if (never_reads_unseen(config_)) {
    for (uint16_t& label : original.labels.labels) {
      if (label != kIgnoreIndex && !seen[label]) label = kIgnoreIndex;
    }
  }
  std::mt19937_64 random = sample_random(config_.seed, iteration, slot);
  const LabelMap crop = augment(original.image, original.labels, config_.augment, random, pixels);
  const auto no_class = static_cast<int32_t>(void_label(seen.size()));
  std::ranges::transform(crop.labels, labels, [&](uint16_t label) {
    return label == kIgnoreIndex ? no_class : int32_t{label};
  });
}

}  // namespace tagclip
