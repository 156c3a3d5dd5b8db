#include "bench/loader_task.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <ctime>

#include "train/epoch_order.h"
#include "train/sample_batches.h"

namespace tagclip {
namespace {

constexpr int64_t kStageSamples = 64;

double core_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Adds what passes between laps to the stages in turn.
class Laps {
 public:
  void lap(Stage& stage) {
    const double now = core_seconds();
    stage.seconds += (now - last_) / kStageSamples;
    last_ = now;
  }

 private:
  double last_ = core_seconds();
};

std::vector<Stage> measure_stages(const TrainConfig& config, const FolderDataset& data) {
  std::vector<Stage> stages = {{"read photo"}, {"read labels"}, {"draw"}, {"resize to normalise"}};
  std::vector<float> pixels(static_cast<size_t>(3) * config.augment.crop_size *
                            config.augment.crop_size);
  Laps laps;
  for (int64_t i = 0; i < kStageSamples; ++i) {
    const size_t item = static_cast<size_t>(i) % data.size();
    std::mt19937_64 random = sample_random(config.seed, 0, i);
    const Image image = data.image(item);
    laps.lap(stages[0]);
    const LabelMap labels = data.labels(item);
    laps.lap(stages[1]);
    const Augmentation decision = draw_augmentation(labels, config.augment, random);
    laps.lap(stages[2]);
    augment(image, labels, config.augment, decision, pixels.data());
    laps.lap(stages[3]);
  }
  return stages;
}

}  // namespace

LoaderSpeed measure_loader(const FolderDataset& data, int64_t samples) {
  at::set_num_threads(1);
  TrainConfig config;
  config.setting = Setting::kSupervised;
  const SampleBatches batches(config, data);
  batches.batch(0);

  LoaderSpeed speed;
  const double start = core_seconds();
  for (int64_t iteration = 1; speed.samples < samples; ++iteration, speed.samples += config.batch) {
    batches.batch(iteration);
  }
  speed.seconds = core_seconds() - start;
  speed.stages = measure_stages(config, data);
  return speed;
}

}  // namespace tagclip
