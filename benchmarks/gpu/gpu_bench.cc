// Measures the whole model on a GPU: training steps of 16 photos and inference of 1 and 32, ours
// beside plain LibTorch calls, interleaved. The models are ViT-B/16 with random weights at 512 x
// 512.
#include <ATen/Context.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>

#include "bench/measurement.h"
#include "bench/reference_model.h"
#include "bench/workload.h"
#include "infer/graphed_model.h"
#include "infer/photo_encoder.h"
#include "infer/sliding_segmenter.h"
#include "train/mixed_precision.h"
#include "train/train_step.h"

namespace tagclip::bench {
namespace {

constexpr int64_t kLabelPairs = 20, kStepPairs = 5, kWarmUps = 4;
constexpr at::DeviceIndex kGpuIndex = 0;

at::Device gpu() { return {at::kCUDA, kGpuIndex}; }

// Finds the most that LibTorch takes of the GPU's memory while the object lives, beyond what it
// held.
class GpuMemory {
 public:
  GpuMemory() {
    allocator_.emptyCache();
    allocator_.resetPeakStats(kGpuIndex);
    before_ = reserved().current;
  }
  double gib() const { return static_cast<double>(reserved().peak - before_) / (1 << 30); }

 private:
  // The first of the allocator's numbers covers all of its pools.
  c10::CachingAllocator::Stat reserved() const {
    return allocator_.getDeviceStats(kGpuIndex).reserved_bytes[0];
  }

  c10::DeviceAllocator& allocator_ = *c10::getDeviceAllocator(at::kCUDA);
  int64_t before_ = 0;
};

// Runs the work often enough to have its graph recorded.
void warm_up(const std::function<void()>& work) {
  for (int64_t i = 0; i < kWarmUps; ++i) work();
  finish(gpu());
}

struct Row {
  std::string name;
  double our_gib = 0, reference_gib = 0;
  AbRuns runs;
  double difference = 0;  // relative, of what they compute
};

void print(const Row& row) {
  const Spread ours = milliseconds(row.runs.ours), reference = milliseconds(row.runs.reference);
  const Spread speedup = row.runs.speedup();
  std::printf("%-22s %9.2f (%.2f to %.2f) ms  %6.2f GiB   speedup %.2f (%.2f to %.2f)\n",
              row.name.c_str(), ours.median, ours.min, ours.max, row.our_gib, speedup.median,
              speedup.min, speedup.max);
  std::printf("%-22s %9.2f (%.2f to %.2f) ms  %6.2f GiB   difference %.1e\n", "  plain LibTorch",
              reference.median, reference.min, reference.max, row.reference_gib, row.difference);
  std::fflush(stdout);
}

void interleave_on_gpu(Row& row, const std::function<void()>& ours,
                       const std::function<void()>& reference, int64_t pairs) {
  const auto finished = [](const std::function<void()>& work) {
    return [&work] {
      work();
      finish(gpu());
    };
  };
  row.runs = interleave(finished(ours), finished(reference), pairs, [](int64_t) { return true; });
}

SegmentationModel model_on_gpu(const Workload& workload) {
  SegmentationModel model = random_model(workload.model);
  model.parameters.to(gpu());
  return model;
}

StepInput on_gpu(const StepInput& batch) {
  return {.pixels = batch.pixels.to(gpu()),
          .text = batch.text.to(gpu()),
          .targets = {.labels = batch.targets.labels.to(gpu()),
                      .seen_mask = batch.targets.seen_mask.to(gpu())},
          .pseudo = {}};
}

// Measures a step of the recipe in bfloat16, of the classes that are seen; the batch stands on the
// GPU.
Row measure_step(Workload workload, int64_t photos) {
  workload.classes -= workload.unseen;
  workload.unseen = 0;
  TrainConfig config;
  config.precision = ComputePrecision::kBFloat16;
  config.schedule.warmup = 0;
  const StepInput batch = on_gpu(random_batch(workload, photos));
  Row row{.name = workload.name + " step of " + std::to_string(photos)};

  const GpuMemory our_memory;
  SegmentationModel model = model_on_gpu(workload);
  const World alone;
  TrainStep step(model, config, alone);
  const FrozenBf16Weights bf16(frozen_matrices(model.parameters));
  int64_t iteration = 0, reference_iteration = 0;
  double loss = 0, reference_loss = 0;
  const auto ours = [&] {
    loss = step.compute(batch, iteration).total;
    step.update(iteration++);
  };
  warm_up(ours);
  row.our_gib = our_memory.gib();

  const GpuMemory reference_memory;
  SegmentationModel reference_model = model_on_gpu(workload);
  ReferenceStep reference_step(reference_model, config);
  const auto reference = [&] { reference_loss = reference_step(batch, reference_iteration++); };
  warm_up(reference);
  row.reference_gib = reference_memory.gib();
  row.difference = std::abs(loss - reference_loss) / reference_loss;
  interleave_on_gpu(row, ours, reference, kStepPairs);
  return row;
}

// Labels pixels on the GPU into maps on the CPU, in float32, as `tagclip segment` does.
class OurLabels {
 public:
  OurLabels(const Workload& workload, const EmbeddedVocabulary& vocabulary)
      : model_(graphed(dense_model(model_on_gpu(workload)))),
        text_(vocabulary.embeddings.to(gpu())),
        rule_(score_rule(vocabulary.seen, vocabulary.inductive, {}, model_.scoring)) {}

  at::Tensor operator()(const at::Tensor& pixels) const {  // -> [B, H, W] int64
    const Extent size{pixels.size(2), pixels.size(3)};
    const MaskLogits logits = (*model_.decoder)((*model_.encoder)(pixels), text_, {});
    at::Tensor labels = at::empty({pixels.size(0), size.height, size.width}, at::kLong);
    for (int64_t i = 0; i < pixels.size(0); ++i) {
      const WindowLogits window{logits.classes.narrow(0, i, 1), logits.trusty.narrow(0, i, 1), {}};
      const BestClass best =
          blend(window, {.resized = size, .window = size, .corners = {{0, 0}}}, rule_, size);
      std::ranges::copy(best.labels, labels[i].mutable_data_ptr<int64_t>());
    }
    return labels;
  }

 private:
  DenseModel model_;
  at::Tensor text_;
  ScoreRule rule_;
};

class ReferenceLabels {
 public:
  ReferenceLabels(const Workload& workload, const EmbeddedVocabulary& vocabulary)
      : owner_(model_on_gpu(workload)),
        model_(owner_.config, parameters_by_name(owner_)),
        text_(vocabulary.embeddings.to(gpu())) {
    seen_ = at::empty({workload.classes, 1, 1}, at::kBool);
    std::ranges::copy(vocabulary.seen, seen_.data_ptr<bool>());
    seen_ = seen_.to(gpu());
  }

  at::Tensor operator()(const at::Tensor& pixels) const {  // -> [B, H, W] int64
    const MaskLogits maps = model_(pixels, text_);
    const at::Tensor scores = probabilities(maps.classes, pixels) - seen_.to(at::kFloat) * 0.1;
    const at::Tensor novel = probabilities(maps.trusty, pixels);
    return (scores * at::where(seen_, 1 - novel, novel)).argmax(1).cpu();
  }

 private:
  static at::Tensor probabilities(const at::Tensor& maps, const at::Tensor& pixels) {
    return at::upsample_bilinear2d(maps, {pixels.size(2), pixels.size(3)}, /*align_corners=*/false)
        .sigmoid();
  }

  SegmentationModel owner_;
  ReferenceModel model_;
  at::Tensor text_, seen_;
};

Row measure_inference(const Workload& workload, int64_t photos) {
  const c10::InferenceMode no_gradients;
  const EmbeddedVocabulary vocabulary = random_vocabulary(workload);
  const at::Tensor pixels = random_batch(workload, photos).pixels.to(gpu());
  Row row{.name = workload.name + " labels of " + std::to_string(photos)};
  at::Tensor labels, reference_labels;
  const GpuMemory our_memory;
  const OurLabels our_way(workload, vocabulary);
  const auto ours = [&] { labels = our_way(pixels); };
  warm_up(ours);
  row.our_gib = our_memory.gib();

  const GpuMemory reference_memory;
  const ReferenceLabels reference_way(workload, vocabulary);
  const auto reference = [&] { reference_labels = reference_way(pixels); };
  warm_up(reference);
  row.reference_gib = reference_memory.gib();
  row.difference = labels.ne(reference_labels).to(at::kDouble).mean().item<double>();
  interleave_on_gpu(row, ours, reference, kLabelPairs);
  return row;
}

void measure() {
  std::puts(
      "medians (min to max) of interleaved runs; GiB: the most that LibTorch took of the GPU;");
  std::puts("difference: of the loss, or the share of pixels with another label");
  for (const Workload& workload : {voc_workload(), coco_workload()}) {
    print(measure_step(workload, 16));
    print(measure_inference(workload, 1));
    print(measure_inference(workload, 32));
  }
}

}  // namespace
}  // namespace tagclip::bench

int main() {
  if (!at::hasCUDA() || at::getNumGPUs() == 0) {
    std::fputs("gpu_bench: there is no GPU, or this LibTorch has no CUDA\n", stderr);
    return 1;
  }
  try {
    tagclip::bench::measure();
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "gpu_bench: %s\n", problem.what());
    return 1;
  }
  return 0;
}
