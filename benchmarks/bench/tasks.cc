#include "bench/tasks.h"

#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>

#include <cmath>
#include <optional>

#include "base/error.h"
#include "bench/flops.h"
#include "bench/machine.h"
#include "bench/reference_model.h"
#include "infer/inference_model.h"
#include "infer/sliding_segmenter.h"
#include "kernels/blend/reference.h"
#include "train/mixed_precision.h"

namespace tagclip::bench {
namespace {

// Results may be this far from the reference's, which computes in float32.

struct SegmentLimits {
  double labels;  // share of the pixels: where the best two classes are close, rounding decides
  double logits;  // relative to the largest
};

SegmentLimits segment_limits(GemmPrecision precision) {
  switch (precision) {
    case GemmPrecision::kFloat32:
    case GemmPrecision::kBFloat16x3:
      return {0.01, 1e-4};
    case GemmPrecision::kBFloat16:
      return {0.05, 0.05};
    case GemmPrecision::kInt8:
      return {0.1, 0.1};
  }
  TAGCLIP_CHECK(false, "no such precision");
}

// Both are relative; gradients are sums of millions of products.
struct StepLimits {
  double loss, gradients;
};
constexpr StepLimits kExactStep{1e-5, 1e-3}, kMixedStep{0.01, 0.1};
constexpr StepLimits kMaskLoss{1e-5, 1e-4};

struct BlendLimits {
  double labels;  // share of the pixels: where the best two are equal to 1e-5
  double scores;
};
constexpr BlendLimits kBlend{1e-4, 1e-5};

// Returns the share of the pixels that have another label.
template <class Label>
double label_difference(const std::vector<uint16_t>& ours, const Label* reference) {
  int64_t different = 0;
  for (size_t i = 0; i < ours.size(); ++i) different += ours[i] != reference[i];
  return static_cast<double>(different) / static_cast<double>(ours.size());
}

double logit_difference(const MaskLogits& ours, const MaskLogits& reference) {
  const auto joined = [](const MaskLogits& logits) {
    return at::cat({logits.classes, logits.trusty}, 1);
  };
  const at::Tensor expected = joined(reference);
  return ((joined(ours) - expected).abs().max() / expected.abs().max()).item<double>();
}

// Returns the norm of the difference over the norm, of all gradients as one vector.
double gradient_difference(const SegmentationModel& model,
                           const std::map<std::string, at::Tensor>& reference) {
  double difference = 0, all = 0;
  for (const Parameter& parameter : model.parameters.trained()) {
    const at::Tensor& expected = reference.at(parameter.name);
    difference += (parameter.tensor.grad() - expected).square().sum().item<double>();
    all += expected.square().sum().item<double>();
  }
  return std::sqrt(difference / all);
}

// Returns the peak of our way as `tagclip segment` has it: with the packed weights alone.
std::optional<int64_t> peak_of_ours(const Workload& workload, const EmbeddedVocabulary& vocabulary,
                                    const Image& photo) {
  DenseModel loaded = dense_model(model_of(workload));
  const PeakMemory memory;
  const SlidingSegmenter segmenter(in_precision(std::move(loaded), workload.precision), vocabulary);
  segmenter(photo);
  return memory.bytes();
}

// Returns the recipe with the full learning rate from the first step on.
TrainConfig recipe(bool mixed) {
  TrainConfig config;
  config.schedule.warmup = 0;
  if (mixed) config.precision = ComputePrecision::kBFloat16;
  return config;
}

// Our step, in mixed precision with the frozen matrices as Trainer keeps them. Between steps they
// are float32 again, for the reference.
class OurStep {
 public:
  OurStep(SegmentationModel& model, bool mixed)
      : config_(recipe(mixed)), step_(model, config_, alone_) {
    if (!mixed) return;
    bf16_.emplace(frozen_matrices(model.parameters));
    between_steps_.emplace(*bf16_);
  }

  double operator()(const StepInput& batch) {
    between_steps_.reset();
    const double loss = step_.compute(batch, iteration_).total;
    step_.update(iteration_++);
    if (bf16_) between_steps_.emplace(*bf16_);
    return loss;
  }

 private:
  TrainConfig config_;
  World alone_;
  TrainStep step_;
  std::optional<FrozenBf16Weights> bf16_;
  std::optional<FrozenBf16Weights::Float32Scope> between_steps_;
  int64_t iteration_ = 0;
};

// Computes the losses of one batch in one way.
class LossRun {
 public:
  using Way = decltype(segmentation_losses);

  LossRun(const Workload& workload, int64_t photos, Way* way)
      : way_(way), targets_(random_batch(workload, photos).targets) {
    const int64_t classes = workload.classes - workload.unseen;
    logits_ = random_logits(workload, photos, classes);
    logits_.classes.requires_grad_();
    logits_.trusty.requires_grad_();
    masks_ = count_masks(targets_.labels, classes);
  }

  // Returns the total loss and leaves the gradients.
  double operator()() {
    for (const at::Tensor* logits : {&logits_.classes, &logits_.trusty}) {
      logits->mutable_grad().reset();
    }
    const at::Tensor total = way_(logits_, targets_, masks_, Protocol::kReleased, {}).total();
    total.backward();
    return total.item<double>();
  }

  at::Tensor gradients() const {
    return at::cat({logits_.classes.grad(), logits_.trusty.grad()}, 1);
  }

 private:
  Way* way_;
  Targets targets_;
  MaskLogits logits_;
  at::Tensor masks_;
};

// Returns a model of its own with the same weights, but for the trusty token.
SegmentationModel without_token(const SegmentationModel& model) {
  ModelConfig config = model.config;
  config.trusty_token = false;
  SegmentationModel result(config, model.text_encoder.has_value());
  result.parameters.allocate();
  const at::NoGradGuard no_grad;
  for (const Parameter& parameter : result.parameters.all()) {
    at::Tensor(parameter.tensor).copy_(*model.parameters.find(parameter.name));
  }
  return result;
}

ParameterCounts counts_of(SegmentationModel& model) {
  model.set_trained();
  return count_parameters(model.parameters);
}

}  // namespace

Measurement measure_segment(const Workload& workload, int64_t pairs, const PairProgress& progress) {
  const c10::InferenceMode no_gradients;
  const EmbeddedVocabulary vocabulary = random_vocabulary(workload);
  const Image photo = random_photo(workload.model.clip.resolution);

  Measurement result{.workload = workload.name,
                     .task = "segment",
                     .precision = std::string(name_of(workload.precision)),
                     .photos = 1};
  result.flops = segment_flops(workload.model, workload.classes);
  result.our_peak = peak_of_ours(workload, vocabulary, photo);
  const PeakMemory reference_memory;
  const SegmentationModel model = model_of(workload);
  const ReferenceSegmenter reference(model, vocabulary);
  const at::Tensor expected = reference(photo).contiguous();  // [H, W]
  result.reference_peak = reference_memory.bytes();
  const DenseModel ours = packed(dense_model(model), workload.precision);
  const SlidingSegmenter segmenter(ours, vocabulary);
  const LabelMap found = segmenter(photo).labels;
  const MaskLogits logits =
      (*ours.decoder)((*ours.encoder)(reference.pixels(photo)), vocabulary.embeddings, {});
  const SegmentLimits limits = segment_limits(workload.precision);
  result.differences = {
      {"labels", label_difference(found.labels, expected.const_data_ptr<int64_t>()), limits.labels},
      {"logits", logit_difference(logits, reference.logits(photo)), limits.logits}};

  std::vector<StageTimes> times;
  result.runs = interleave([&] { times.push_back(segmenter(photo).times); },
                           [&] { reference(photo); }, pairs, progress);
  result.stages = median_stages(times);
  StageTimes unused;
  const EncodedPhoto encoded = segmenter.encoder()(photo, unused);
  result.other_words = interleave([&] { segmenter(encoded); }, [&] { segmenter(photo); }, pairs,
                                  [](int64_t) { return true; });
  return result;
}

Measurement measure_train_step(const Workload& workload, int64_t photos, int64_t pairs,
                               const PairProgress& progress) {
  const bool mixed = workload.precision == GemmPrecision::kBFloat16;
  SegmentationModel model = model_of(workload);
  const StepInput batch = random_batch(workload, photos);
  ReferenceStep reference(model, recipe(/*mixed=*/false));
  OurStep step(model, mixed);

  Measurement result{.workload = workload.name,
                     .task = "train-step",
                     .precision = std::string(name_of(workload.precision)),
                     .photos = photos};
  result.flops = train_step_flops(workload.model, workload.classes, photos);
  const PeakMemory our_memory;
  const double loss = step(batch);
  result.our_peak = our_memory.bytes();
  const PeakMemory reference_memory;
  const double expected = reference(batch, 0);
  result.reference_peak = reference_memory.bytes();
  const StepLimits limits = mixed ? kMixedStep : kExactStep;
  result.differences = {
      {"loss", std::abs(loss - expected) / expected, limits.loss},
      {"gradients", gradient_difference(model, reference.gradients()), limits.gradients}};

  int64_t iteration = 1;
  result.runs =
      interleave([&] { step(batch); }, [&] { reference(batch, iteration++); }, pairs, progress);
  return result;
}

Measurement measure_blend(const Workload& workload, int64_t pairs, const PairProgress& progress) {
  const c10::InferenceMode no_gradients;
  const EmbeddedVocabulary vocabulary = random_vocabulary(workload);
  const ScoreRule rule = score_rule(vocabulary.seen, vocabulary.inductive, {}, {});
  const MaskLogits maps = random_logits(workload, /*photos=*/1, workload.classes);
  const WindowLogits logits{maps.classes, maps.trusty, {}};
  const auto side = static_cast<int>(workload.model.clip.resolution);
  const Extent photo{side, side};
  const WindowLayout layout = layout_of(sliding_windows({side, side}, side, side), {side, side});
  const auto ours = [&] { return blend(logits, layout, rule, photo); };
  const auto reference = [&] { return best_class(reference_scores(logits, layout, rule, photo)); };

  Measurement result{.workload = workload.name, .task = "blend", .photos = 1};
  BestClass found, expected;
  result.our_peak = memory_growth([&] { found = ours(); });
  result.reference_peak = memory_growth([&] { expected = reference(); });
  double scores = 0;
  for (size_t i = 0; i < expected.scores.size(); ++i) {
    scores = std::max(scores, std::abs(double{found.scores[i]} - expected.scores[i]));
  }
  result.differences = {
      {"labels", label_difference(found.labels, expected.labels.data()), kBlend.labels},
      {"scores", scores, kBlend.scores}};
  result.runs = interleave([&] { ours(); }, [&] { reference(); }, pairs, progress);
  return result;
}

Measurement measure_mask_loss(const Workload& workload, int64_t photos, int64_t pairs,
                              const PairProgress& progress) {
  LossRun ours(workload, photos, segmentation_losses);
  LossRun reference(workload, photos, reference_segmentation_losses);
  Measurement result{.workload = workload.name, .task = "mask-loss", .photos = photos};
  double loss = 0, expected_loss = 0;
  result.our_peak = memory_growth([&] { loss = ours(); });
  result.reference_peak = memory_growth([&] { expected_loss = reference(); });
  const at::Tensor expected = reference.gradients();
  const double difference = ((ours.gradients() - expected).norm() / expected.norm()).item<double>();
  result.differences = {{"loss", std::abs(loss - expected_loss) / expected_loss, kMaskLoss.loss},
                        {"gradients", difference, kMaskLoss.gradients}};
  result.runs = interleave([&] { ours(); }, [&] { reference(); }, pairs, progress);
  return result;
}

TokenCost measure_token_cost(const Workload& workload, int64_t photos, int64_t pairs,
                             const TaskProgress& progress) {
  SegmentationModel with = model_of(workload), without = without_token(with);
  TokenCost result{
      .workload = workload.name, .with = counts_of(with), .without = counts_of(without)};
  bool go_on = true;
  const auto measure = [&](const char* task, int64_t runs, const std::function<void()>& ours,
                           const std::function<void()>& reference) {
    if (!go_on) return;
    ours();
    reference();
    result.tasks.push_back({task, interleave(ours, reference, runs, [&](int64_t done) {
                              return go_on = progress(task, done, runs);
                            })});
  };
  {
    const c10::InferenceMode no_gradients;
    const EmbeddedVocabulary vocabulary = random_vocabulary(workload);
    const Image photo = random_photo(workload.model.clip.resolution);
    const DenseModel model = packed(dense_model(with), workload.precision);
    const DenseModel other{model.encoder, dense_model(without).decoder, model.scoring};
    const SlidingSegmenter ours(model, vocabulary), reference(other, vocabulary);
    measure("segment", pairs, [&] { ours(photo); }, [&] { reference(photo); });
    StageTimes unused;
    const EncodedPhoto encoded = ours.encoder()(photo, unused);
    measure("decode and blend", pairs, [&] { ours(encoded); }, [&] { reference(encoded); });
  }
  const StepInput batch = random_batch(workload, photos);
  OurStep ours(with, /*mixed=*/false), reference(without, /*mixed=*/false);
  measure("train-step", (pairs + 1) / 2, [&] { ours(batch); }, [&] { reference(batch); });
  return result;
}

}  // namespace tagclip::bench
