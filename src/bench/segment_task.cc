#include <c10/core/InferenceMode.h>

#include "bench/flops.h"
#include "bench/machine.h"
#include "bench/plain_segmenter.h"
#include "bench/tasks.h"
#include "infer/sliding_segmenter.h"

namespace tagclip {
namespace {

// Where the best two classes are close, rounding decides.
constexpr double kLabelLimit = 0.01;  // share of the pixels
constexpr double kLogitLimit = 1e-4;  // relative to the largest

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

}  // namespace

Measurement measure_segment(const Workload& workload, int64_t pairs, const PairProgress& progress) {
  const c10::InferenceMode no_gradients;
  SegmentationModel model = model_of(workload);
  model.encoder.freeze();
  const EmbeddedVocabulary vocabulary = random_vocabulary(workload);
  const SlidingSegmenter segmenter(model, vocabulary);
  const PlainSegmenter plain(model, vocabulary);
  const Image photo = random_photo(workload.model.clip.resolution);

  Measurement result{.workload = workload.name, .task = "segment", .photos = 1};
  result.flops = segment_flops(workload.model, workload.classes);
  const PeakMemory our_memory;
  const LabelMap labels = segmenter(photo).labels;
  result.our_peak = our_memory.bytes();
  const PeakMemory plain_memory;
  const at::Tensor plain_labels = plain(photo);
  result.plain_peak = plain_memory.bytes();
  result.differences = {
      {"labels", label_difference(labels, plain_labels), kLabelLimit},
      {"logits",
       logit_difference(model(plain.pixels(photo), vocabulary.embeddings), plain.logits(photo)),
       kLogitLimit}};

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

}  // namespace tagclip
