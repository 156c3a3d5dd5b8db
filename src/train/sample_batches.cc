#include "train/sample_batches.h"

#include <ATen/Parallel.h>

#include "base/error.h"
#include "train/epoch_order.h"

namespace tagclip {

SampleBatches::SampleBatches(const TrainConfig& config, const Dataset& data)
    : config_(config), data_(data) {
  for (size_t c = 0; c < data.classes().size(); ++c) {
    const bool trained = config.setting == Setting::kSupervised || data.seen()[c];
    training_index_.push_back(trained ? static_cast<int64_t>(training_classes_.size()) : -1);
    if (trained) training_classes_.push_back(static_cast<int64_t>(c));
  }
  if (training_classes_.empty())
    throw bad_input(data.folder().string() + ": every class is unseen");
}

SampleBatch SampleBatches::batch(int64_t iteration) const {
  const int64_t B = config_.batch, side = config_.augment.crop_size;
  const auto items = batch_items(config_.seed, static_cast<int64_t>(data_.size()), B, iteration);
  SampleBatch batch{at::empty({B, 3, side, side}),
                    {at::empty({B, side, side}, at::kLong), at::empty({B, side, side}, at::kChar)}};
  float* pixels = batch.pixels.mutable_data_ptr<float>();
  auto* labels = batch.targets.labels.mutable_data_ptr<int64_t>();
  auto* familiar = batch.targets.familiar.mutable_data_ptr<int8_t>();
  at::parallel_for(0, B, 1, [&](int64_t begin, int64_t end) {
    for (int64_t slot = begin; slot < end; ++slot) {
      std::mt19937_64 random = sample_random(config_.seed, iteration, slot);
      const LabelledImage photo = data_.read(items[slot]);
      const TrainingSample sample = augment(photo.image, photo.labels, config_.augment, random);
      std::ranges::copy(sample.pixels, pixels + slot * 3 * side * side);
      for (int64_t i = 0; i < side * side; ++i) {
        const uint16_t label = sample.labels.labels[i];
        const bool labelled = label != kIgnore;
        labels[slot * side * side + i] = labelled ? training_index_[label] : -1;
        familiar[slot * side * side + i] = labelled ? int8_t{data_.seen()[label]} : int8_t{-1};
      }
    }
  });
  return batch;
}

}  // namespace tagclip
