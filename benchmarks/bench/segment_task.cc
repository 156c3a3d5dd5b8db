#include <c10/core/InferenceMode.h>

#include "base/error.h"
#include "bench/flops.h"
#include "bench/machine.h"
#include "bench/plain_segmenter.h"
#include "bench/tasks.h"
#include "infer/inference_model.h"
#include "infer/sliding_segmenter.h"

namespace tagclip::bench {
namespace {

// How far results may be from plain ones of float32.
struct Limits {
  double labels;  // share of the pixels: where the best two classes are close, rounding decides
  double logits;  // relative to the largest
};

Limits limits_of(GemmPrecision precision) {
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

double label_difference(const LabelMap& ours, const at::Tensor& plain) {
  const at::Tensor labels = plain.contiguous();
  const int64_t* expected = labels.data_ptr<int64_t>();
  int64_t different = 0;
  for (size_t i = 0; i < ours.size(); ++i) different += ours.labels[i] != expected[i];
  return static_cast<double>(different) / static_cast<double>(ours.size());
}

double logit_difference(const MaskLogits& ours, const MaskLogits& plain) {
  const auto joined = [](const MaskLogits& logits) {
    return at::cat({logits.classes, logits.trusty}, 1);
  };
  const at::Tensor expected = joined(plain);
  return ((joined(ours) - expected).abs().max() / expected.abs().max()).item<double>();
}

// As `tagclip segment` holds it: the packed weights alone.
std::optional<int64_t> peak_of_ours(const Workload& workload, const EmbeddedVocabulary& vocabulary,
                                    const Image& photo) {
  DenseModel loaded = dense_model(model_of(workload));
  const PeakMemory memory;
  const SlidingSegmenter segmenter(in_precision(std::move(loaded), workload.precision), vocabulary);
  segmenter(photo);
  return memory.bytes();
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
  const PeakMemory plain_memory;
  const SegmentationModel model = model_of(workload);
  const PlainSegmenter plain(model, vocabulary);
  const at::Tensor plain_labels = plain(photo);
  result.plain_peak = plain_memory.bytes();
  const DenseModel ours = packed(dense_model(model), workload.precision);
  const SlidingSegmenter segmenter(ours, vocabulary);
  const LabelMap labels = segmenter(photo).labels;
  const MaskLogits logits =
      (*ours.decoder)((*ours.encoder)(plain.pixels(photo)), vocabulary.embeddings, {});
  const Limits limits = limits_of(workload.precision);
  result.differences = {{"labels", label_difference(labels, plain_labels), limits.labels},
                        {"logits", logit_difference(logits, plain.logits(photo)), limits.logits}};

  std::vector<StageTimes> times;
  result.runs = run_by_turns([&] { times.push_back(segmenter(photo).times); },
                             [&] { plain(photo); }, pairs, progress);
  result.stages = median_stages(times);
  StageTimes unused;
  const EncodedPhoto encoded = segmenter.encoder()(photo, unused);
  result.other_words = run_by_turns([&] { segmenter(encoded); }, [&] { segmenter(photo); }, pairs,
                                    [](int64_t) { return true; });
  return result;
}

}  // namespace tagclip::bench
