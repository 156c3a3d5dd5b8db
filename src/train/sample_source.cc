#include "train/sample_source.h"

#include <c10/util/StringUtil.h>

#include <algorithm>

#include "base/error.h"
#include "data/random.h"
#include "train/epoch_order.h"
#include "train/step_classes.h"

namespace tagclip {
namespace {

constexpr int kReplacements = 20;  // photos tried for a slot before the set counts as broken
constexpr int64_t kReplacement = 1 << 20;  // slots from here on draw them

}  // namespace

SampleSource::SampleSource(const TrainConfig& config, const Dataset& data)
    : config_(config), data_(data) {
  const auto seen = std::ranges::count(data.seen(), true);
  if (seen == 0 && config.setting != Setting::kSupervised) {
    throw bad_input(data.folder().string() + ": every class is unseen");
  }
  if (seen < 2 && never_reads_unseen(config)) {
    throw bad_input(data.folder().string() + ": of one seen class none can be held out",
                    "set trusty_source = annotations");
  }
}

std::vector<int64_t> SampleSource::photos(int64_t iteration) const {
  return batch_items(config_.seed, static_cast<int64_t>(data_.size()), config_.batch, iteration);
}

void SampleSource::complain(int64_t photo, const std::string& what) const {
  const std::lock_guard lock(mutex_);
  if (bad_photos_.insert(photo).second) complaints_.push_back(what);
}

std::vector<std::string> SampleSource::take_complaints() {
  const std::lock_guard lock(mutex_);
  return std::exchange(complaints_, {});
}

LabelledImage SampleSource::read_photo(int64_t iteration, int64_t slot, int64_t photo) const {
  if (config_.bad_photos == BadPhotos::kFail) return data_.read(photo);
  std::mt19937_64 random = sample_random(config_.seed, iteration, kReplacement + slot);
  for (int tries = 0; tries < kReplacements; ++tries) {
    try {
      return data_.read(photo);
    } catch (const Error& error) {
      complain(photo, error.what());
      photo = static_cast<int64_t>(uniform_index(random, data_.size()));
    }
  }
  throw bad_input(c10::str(data_.folder().string(), ": of ", kReplacements,
                           " photos in a row none could be read"),
                  "tagclip data check looks at all of them");
}

void SampleSource::read(int64_t iteration, int64_t slot, int64_t photo, float* pixels,
                        int32_t* labels) const {
  LabelledImage original = read_photo(iteration, slot, photo);
  if (never_reads_unseen(config_)) {
    for (uint16_t& label : original.labels.labels) {
      if (label != kIgnore && !data_.seen()[label]) label = kIgnore;
    }
  }
  std::mt19937_64 random = sample_random(config_.seed, iteration, slot);
  const LabelMap crop =
      augment(original.image, original.labels, config_.augment, random, pixels);
  const auto nothing = static_cast<int32_t>(void_label(data_.classes().size()));
  std::ranges::transform(crop.labels, labels, [&](uint16_t label) {
    return label == kIgnore ? nothing : int32_t{label};
  });
}

}  // namespace tagclip
