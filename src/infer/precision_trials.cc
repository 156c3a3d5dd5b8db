#include "infer/precision_trials.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

#include "base/error.h"
#include "base/text.h"

namespace tagclip {
namespace {

struct Outcome {
  std::vector<LabelMap> labels;
  double seconds = 0;
};

Outcome segment_all(const DenseModel& model, const EmbeddedVocabulary& vocabulary,
                    const InferenceOptions& options, const std::vector<Image>& photos) {
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
  if (more.photos.empty()) return *this;
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

PrecisionEvidence try_precisions(const DenseModel& model, const EmbeddedVocabulary& vocabulary,
                                 const InferenceOptions& options,
                                 const std::vector<Image>& photos) {
  TAGCLIP_CHECK(!photos.empty(), "nothing to compare precisions on");
  PrecisionEvidence evidence;
  for (const Image& photo : photos) evidence.photos.push_back(photo_digest(photo));
  std::vector<LabelMap> reference;
  for (const GemmPrecision precision : kGemmPrecisions) {
    if (!runs_here(precision)) continue;
    Outcome outcome = segment_all(packed(model, precision), vocabulary, options, photos);
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

std::string describe(const PrecisionEvidence& evidence, const PrecisionTrial& chosen) {
  std::string text =
      fmt::format("encoding in {}; compared on {} of {} photos so far:", name_of(chosen.precision),
                  evidence.count(), kTrialPhotos);
  for (const PrecisionTrial& trial : evidence.trials) {
    if (trial.precision == GemmPrecision::kFloat32) continue;
    text += fmt::format("\n  {}: {}% of the pixels labelled as in float32, {} times as fast",
                        name_of(trial.precision), fixed(100 * trial.share(), 2),
                        fixed(evidence.trials.front().seconds / trial.seconds, 1));
  }
  return text;
}

std::vector<Image> pick_photos(const PhotoSource& source, const std::vector<std::string>& known,
                               int64_t wanted) {
  constexpr int64_t kSpareReads = 16;  // of photos that cannot be read
  std::vector<Image> found;
  wanted = std::min(wanted, source.count);
  if (wanted <= 0) return found;
  std::set<std::string> digests(known.begin(), known.end());
  const int64_t step = std::max<int64_t>(1, source.count / wanted);
  int64_t reads = std::min(source.count, wanted + std::ssize(known) + kSpareReads);
  for (int64_t i = 0; reads > 0 && std::ssize(found) < wanted; ++i, --reads) {
    try {
      // The first of each stretch of `step` photos, then the second, ...
      const int64_t stretches = (source.count + step - 1) / step;
      Image photo = source.read(std::min(i % stretches * step + i / stretches, source.count - 1));
      if (digests.insert(photo_digest(photo)).second) found.push_back(std::move(photo));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kBadInput) throw;
    }
  }
  return found;
}

}  // namespace tagclip
