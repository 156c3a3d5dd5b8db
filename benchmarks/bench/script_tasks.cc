#include "bench/script_tasks.h"

#include <string>

#include "bench/machine.h"
#include "data/augment.h"
#include "data/label_sets.h"
#include "data/random.h"
#include "train/sample_loader.h"

namespace tagclip::bench {
namespace {

constexpr int64_t kStageSamples = 64;

// Adds the core's time between laps to the stages in turn.
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

std::vector<Stage> measure_stages(const TrainConfig& config, const Dataset& data) {
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

LoaderSpeed measure_loader(const std::string& folder, const std::string& split, int64_t samples) {
  TrainConfig config;
  config.setting = Setting::kSupervised;
  const LabelSets sets({{.name = folder, .data = {.folder = folder}, .share = {}}}, split);
  const TrainingSamples samples_of(config, sets);
  const int64_t iterations = (samples + config.batch - 1) / config.batch;
  SampleLoader loader(samples_of, {.last = iterations + 1});  // without threads: one core
  loader.next();

  LoaderSpeed speed;
  const double start = core_seconds();
  for (int64_t i = 0; i < iterations; ++i, speed.samples += config.batch) loader.next();
  speed.seconds = core_seconds() - start;
  speed.stages = measure_stages(config, sets[0].data);
  return speed;
}

void segment_on_request(const SlidingSegmenter& segmenter, const Image& photo,
                        std::istream& requests,
                        const std::function<void(const TimedRun&)>& answer) {
  segmenter(photo);
  for (std::string line; std::getline(requests, line);) {
    Stopwatch watch;
    const StageTimes stages = segmenter(photo).times;
    answer({watch.lap(), stages});
  }
}

}  // namespace tagclip::bench
