#include "infer/precision_trials.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "clip/fingerprint.h"

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

int64_t equal_pixels(const std::vector<LabelMap>& a, const std::vector<LabelMap>& b) {
  int64_t equal = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    for (size_t p = 0; p < a[i].labels.size(); ++p) equal += a[i].labels[p] == b[i].labels[p];
  }
  return equal;
}

int64_t count_pixels(const std::vector<LabelMap>& maps) {
  int64_t pixels = 0;
  for (const LabelMap& map : maps) pixels += std::ssize(map.labels);
  return pixels;
}

}  // namespace

PrecisionEvidence& PrecisionEvidence::operator+=(const PrecisionEvidence& more) {
  if (photos.empty()) return *this = more;
  photos.insert(photos.end(), more.photos.begin(), more.photos.end());
  for (size_t i = 0; i < more.trials.size(); ++i) {
    TAGCLIP_CHECK(trials.at(i).precision == more.trials[i].precision,
                  "other precisions were tried");
    trials[i].equal += more.trials[i].equal;
    trials[i].pixels += more.trials[i].pixels;
    trials[i].seconds += more.trials[i].seconds;
  }
  return *this;
}

std::string photo_digest(const Image& photo) {
  return fingerprint({at::from_blob(const_cast<uint8_t*>(photo.pixels.data()),
                                    {photo.height, photo.width, 3}, at::kByte)});
}

PrecisionEvidence try_precisions(const DenseModel& model, const EmbeddedVocabulary& vocabulary,
                                 const SlidingOptions& options, const std::vector<Image>& photos) {
  TAGCLIP_CHECK(!photos.empty(), "nothing to compare precisions on");
  PrecisionEvidence evidence;
  for (const Image& photo : photos) evidence.photos.push_back(photo_digest(photo));
  std::vector<LabelMap> reference;
  for (const GemmPrecision precision : kGemmPrecisions) {
    if (!runs_here(precision)) continue;
    Outcome outcome = segment_all(*model.packed(precision), vocabulary, options, photos);
    if (reference.empty()) reference = outcome.labels;
    evidence.trials.push_back({precision, equal_pixels(outcome.labels, reference),
                               count_pixels(reference), outcome.seconds});
  }
  return evidence;
}

const PrecisionTrial& fastest_faithful(const PrecisionEvidence& evidence) {
  const auto rank = [](const PrecisionTrial& trial) {
    return trial.share() >= kEqualLabels ? trial.seconds : std::numeric_limits<double>::infinity();
  };
  return *std::ranges::min_element(evidence.trials, {}, rank);
}

}  // namespace tagclip
