#include "train/sample_batches.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "base/error.h"
#include "train/epoch_order.h"

namespace tagclip {
namespace {

// By us alone, views included.
bool held_once(const at::Tensor& tensor) {
  return tensor.use_count() == 1 && tensor.storage().use_count() == 1;
}

}  // namespace

SampleBatches::SampleBatches(const TrainConfig& config, const FolderDataset& data)
    : config_(config), data_(data) {
  for (size_t c = 0; c < data.classes().size(); ++c) {
    const bool trained = config.setting == Setting::kSupervised || data.seen()[c];
    training_index_.push_back(trained ? static_cast<int64_t>(training_classes_.size()) : -1);
    if (trained) training_classes_.push_back(static_cast<int64_t>(c));
    familiar_.push_back(data.seen()[c]);
  }
  training_index_.push_back(-1);
  familiar_.push_back(-1);
  if (training_classes_.empty())
    throw bad_input(data.folder().string() + ": every class is unseen");
}

// Fresh pages for a batch take the kernel as long as the pictures take us.
SampleBatch SampleBatches::memory() const {
  const std::lock_guard lock(lending_);
  const auto is_free = [](const SampleBatch& batch) {
    return held_once(batch.pixels) && held_once(batch.targets.labels) &&
           held_once(batch.targets.familiar);
  };
  const auto found = std::ranges::find_if(lent_, is_free);
  if (found != lent_.end()) return *found;
  const int64_t B = config_.batch, side = config_.augment.crop_size;
  lent_.push_back({at::empty({B, 3, side, side}),
                   {at::empty({B, side, side}, at::kLong), at::empty({B, side, side}, at::kChar)}});
  return lent_.back();
}

SampleBatch SampleBatches::batch(int64_t iteration) const {
  const int64_t B = config_.batch, side = config_.augment.crop_size;
  const auto items = batch_items(config_.seed, static_cast<int64_t>(data_.size()), B, iteration);
  SampleBatch batch = memory();
  float* pixels = batch.pixels.mutable_data_ptr<float>();
  auto* labels = batch.targets.labels.mutable_data_ptr<int64_t>();
  auto* familiar = batch.targets.familiar.mutable_data_ptr<int8_t>();
  at::parallel_for(0, B, 1, [&](int64_t begin, int64_t end) {
    for (int64_t slot = begin; slot < end; ++slot) {
      std::mt19937_64 random = sample_random(config_.seed, iteration, slot);
      const LabelledImage photo = data_.read(items[slot]);
      const LabelMap map = augment(photo.image, photo.labels, config_.augment, random,
                                   pixels + slot * 3 * side * side);
      for (int64_t i = 0; i < side * side; ++i) {
        const size_t c = std::min<size_t>(map.labels[i], training_index_.size() - 1);
        labels[slot * side * side + i] = training_index_[c];
        familiar[slot * side * side + i] = familiar_[c];
      }
    }
  });
  return batch;
}

}  // namespace tagclip
