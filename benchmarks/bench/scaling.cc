#include "bench/scaling.h"

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "base/error.h"
#include "bench/machine.h"
#include "infer/sliding_segmenter.h"
#include "infer/stage_times.h"
#include "train/train_step.h"

namespace tagclip::bench {
namespace {

using PointDone = std::function<bool(const ScalingPoint&)>;

constexpr double kLong = 20;  // seconds, after which no further run is begun
constexpr int64_t kStepPhotos = 2;

// Runs `run`, which may say where its time went.
ScalingPoint measured(ScalingPoint point, int64_t runs, const std::function<StageTimes()>& run) {
  std::vector<StageTimes> times;
  double passed = 0;
  const auto once = [&] {
    Stopwatch watch;
    const double before = core_seconds();
    times.push_back(run());
    point.seconds.push_back(watch.lap());
    point.core_seconds.push_back(core_seconds() - before);
    passed += point.seconds.back();
  };
  point.peak = memory_growth(once);
  if (passed < kLong) {  // that was the warm-up
    times.clear();
    point.seconds.clear();
    point.core_seconds.clear();
  }
  while (std::ssize(point.seconds) < runs && (point.seconds.empty() || passed < kLong)) once();
  for (const Stage& stage : median_stages(times)) {
    if (stage.seconds > 0) point.stages.push_back(stage);
  }
  return point;
}

// Holds a model that is ready to segment.
struct Subject {
  explicit Subject(const Workload& subject)
      : workload(subject), model(packed(dense_model(model_of(subject)), subject.precision)) {}

  SlidingSegmenter segmenter(int64_t classes, const InferenceOptions& options = {}) const {
    Workload asked = workload;
    asked.classes = classes;
    return {model, random_vocabulary(asked), options};
  }

  int64_t side() const { return workload.model.clip.resolution; }
  Image photo() const { return random_photo(side()); }

  const Workload& workload;
  DenseModel model;
};

void by_classes(const Workload& workload, int64_t runs, const PointDone& done) {
  const c10::InferenceMode no_gradients;
  const Subject subject(workload);
  StageTimes unused;
  const EncodedPhoto photo = subject.segmenter(1).encoder()(subject.photo(), unused);
  for (const int64_t classes : {10, 171, 1000, 10000}) {
    const SlidingSegmenter segmenter = subject.segmenter(classes);
    if (!done(measured({.task = "words", .value = classes}, runs,
                       [&] { return segmenter(photo).times; }))) {
      return;
    }
  }
}

void by_side(const Workload& workload, bool shrunk, int64_t runs, const PointDone& done) {
  const c10::InferenceMode no_gradients;
  const Subject subject(workload);
  for (const int64_t windows : {1, 2, 4, 8}) {
    const int64_t side = windows * subject.side();
    const Image photo = random_photo(side);
    const SlidingSegmenter segmenter =
        subject.segmenter(workload.classes, {.short_side = shrunk ? 0 : static_cast<int>(side)});
    if (!done(measured({.task = "segment", .value = side}, runs,
                       [&] { return segmenter(photo).times; }))) {
      return;
    }
  }
}

// Measures a training step on `photos` photos; the model is trained along.
ScalingPoint measured_step(const Workload& workload, int64_t value, int64_t photos, int64_t runs) {
  SegmentationModel model = model_of(workload);
  const TrainConfig config;
  const World alone;
  TrainStep step(model, config, alone);
  const StepInput batch = random_batch(workload, photos);
  int64_t iteration = 0;
  return measured({.task = "train-step", .value = value, .photos = photos}, runs, [&] {
    step.compute(batch, iteration);
    step.update(iteration++);
    return StageTimes();
  });
}

void by_batch(const Workload& workload, int64_t runs, const PointDone& done) {
  for (const int64_t photos : {1, 2, 4, 8}) {
    const c10::InferenceMode no_gradients;
    const Subject subject(workload);
    const at::Tensor pixels = random_batch(workload, photos).pixels;
    const ScalingPoint point =
        measured({.task = "encode", .value = photos, .photos = photos}, runs, [&] {
          (*subject.model.encoder)(pixels);
          return StageTimes();
        });
    if (!done(point)) return;
  }
  for (const int64_t photos : {1, 2, 4, 8}) {
    if (!done(measured_step(workload, photos, photos, (runs + 1) / 2))) return;
  }
}

void by_threads(const Workload& workload, int64_t runs, const PointDone& done) {
  const int all = at::get_num_threads();
  std::vector<int> counts;
  for (int threads = 1; threads < all; threads *= 2) counts.push_back(threads);
  counts.push_back(all);
  bool go_on = true;
  for (const int threads : counts) {
    if (!go_on) break;
    const c10::InferenceMode no_gradients;
    at::set_num_threads(threads);
    const Subject subject(workload);
    const SlidingSegmenter segmenter = subject.segmenter(workload.classes);
    const Image photo = subject.photo();
    go_on = done(measured({.task = "segment", .value = threads}, runs,
                          [&] { return segmenter(photo).times; }));
  }
  for (const int threads : counts) {
    if (!go_on) break;
    at::set_num_threads(threads);
    go_on = done(measured_step(workload, threads, kStepPhotos, (runs + 1) / 2));
  }
  at::set_num_threads(all);
}

}  // namespace

void measure_scaling(const Workload& workload, const std::string& variable, int64_t runs,
                     const PointDone& done) {
  if (variable == "classes") return by_classes(workload, runs, done);
  if (variable == "side") return by_side(workload, /*shrunk=*/true, runs, done);
  if (variable == "windows") return by_side(workload, /*shrunk=*/false, runs, done);
  if (variable == "batch") return by_batch(workload, runs, done);
  TAGCLIP_CHECK(variable == "threads", "nothing else can be varied");
  by_threads(workload, runs, done);
}

}  // namespace tagclip::bench
