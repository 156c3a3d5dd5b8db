#include "infer/precision_trials.h"

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace tagclip {
namespace {

struct Outcome {
  std::vector<LabelMap> labels;
  double seconds = 0;
};

Outcome segment_all(const DenseModel& model, const EmbeddedVocabulary& vocabulary,
                    const SlidingOptions& options, const std::vector<Image>& photos) {
  const SlidingSegmenter segmenter(model, vocabulary, options);
  segmenter(photos.front());  // the first one pays for what is made once
  Outcome outcome;
  for (const Image& photo : photos) {
    SegmentedPhoto result = segmenter(photo);
    outcome.seconds += result.times.encode;
    outcome.labels.push_back(std::move(result.labels));
  }
  return outcome;
}

double share_of_equal(const std::vector<LabelMap>& a, const std::vector<LabelMap>& b) {
  double equal = 0, all = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    for (size_t p = 0; p < a[i].labels.size(); ++p) equal += a[i].labels[p] == b[i].labels[p];
    all += static_cast<double>(a[i].labels.size());
  }
  return equal / all;
}

}  // namespace

std::vector<PrecisionTrial> try_precisions(const DenseModel& model,
                                           const EmbeddedVocabulary& vocabulary,
                                           const SlidingOptions& options,
                                           const std::vector<Image>& photos) {
  TAGCLIP_CHECK(!photos.empty(), "nothing to compare precisions on");
  std::vector<PrecisionTrial> trials;
  std::vector<LabelMap> reference;
  for (const MatrixPrecision precision : kMatrixPrecisions) {
    if (!runs_here(precision)) continue;
    Outcome outcome = segment_all(*model.packed(precision), vocabulary, options, photos);
    if (reference.empty()) reference = outcome.labels;
    trials.push_back({precision, share_of_equal(outcome.labels, reference), outcome.seconds});
  }
  return trials;
}

const PrecisionTrial& fastest_faithful(const std::vector<PrecisionTrial>& trials) {
  const auto rank = [](const PrecisionTrial& trial) {
    return trial.equal >= kEqualLabels ? trial.seconds : std::numeric_limits<double>::infinity();
  };
  return *std::ranges::min_element(trials, {}, rank);
}

}  // namespace tagclip
