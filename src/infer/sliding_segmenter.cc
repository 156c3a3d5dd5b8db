#include "infer/sliding_segmenter.h"

#include <c10/core/InferenceMode.h>
#include <c10/util/StringUtil.h>

#include <algorithm>

#include "base/error.h"
#include "infer/stopwatch.h"

namespace tagclip {
namespace {

constexpr int64_t kMaxLogitBytes = 4LL << 30;

at::Tensor joined(const std::vector<MaskLogits>& batches, at::Tensor MaskLogits::* part) {
  if (batches.size() == 1 || !(batches[0].*part).defined()) return batches[0].*part;
  std::vector<at::Tensor> parts;
  for (const MaskLogits& batch : batches) parts.push_back(batch.*part);
  return at::cat(parts);
}

bool all_finite(const WindowLogits& logits) {
  at::Tensor finite = logits.classes.isfinite().all();
  for (const at::Tensor& part : {logits.trusty, logits.presence}) {
    if (part.defined()) finite = finite.logical_and(part.isfinite().all());
  }
  return finite.item<bool>();  // one wait for a GPU
}

void apply_threshold(double threshold, BestClass& best) {
  if (threshold <= 0) return;
  for (size_t i = 0; i < best.labels.size(); ++i) {
    if (best.scores[i] < threshold) best.labels[i] = kIgnore;
  }
}

std::vector<FoundClass> found_classes(const BestClass& best, size_t classes) {
  std::vector<int64_t> pixels(classes);
  std::vector<double> score_sum(classes);
  for (size_t i = 0; i < best.labels.size(); ++i) {
    if (best.labels[i] == kIgnore) continue;
    ++pixels[best.labels[i]];
    score_sum[best.labels[i]] += best.scores[i];
  }
  std::vector<FoundClass> found;
  for (size_t c = 0; c < classes; ++c) {
    if (pixels[c] == 0) continue;
    const auto count = static_cast<double>(pixels[c]);
    found.push_back({c, count / static_cast<double>(best.labels.size()), score_sum[c] / count});
  }
  std::ranges::stable_sort(found, std::greater(), &FoundClass::share);
  return found;
}

}  // namespace

SlidingSegmenter::SlidingSegmenter(const DenseModel& model, EmbeddedVocabulary vocabulary,
                                   const SlidingOptions& options)
    : model_(model),
      vocabulary_(std::move(vocabulary)),
      encoder_(model, {options.window, options.stride, options.short_side}),
      threshold_(options.threshold),
      rule_(
          score_rule(vocabulary_.seen, vocabulary_.inductive, options.weighting, model.scoring())) {
  if (vocabulary_.classes.size() < kIgnore) return;
  throw usage_error(
      c10::str(vocabulary_.classes.size(), " classes: label files number at most ", kIgnore - 1),
      "look for fewer classes");
}

void SlidingSegmenter::check_memory(const EncodedPhoto& photo) const {
  const auto patches = static_cast<double>(photo.encoding.patches.size(1));
  const auto logits =
      patches * static_cast<double>(photo.windows.size() * vocabulary_.embeddings.size(0));
  if (logits * sizeof(float) <= kMaxLogitBytes) return;
  throw bad_input(c10::str("the photo needs ", photo.windows.size(), " windows, too many for ",
                           vocabulary_.classes.size(), " classes"),
                  "cut the photo into pieces, or look for fewer classes");
}

WindowLogits SlidingSegmenter::decode(const EncodedPhoto& photo) const {
  const at::Device device = vocabulary_.embeddings.device();
  const auto all = static_cast<int64_t>(photo.windows.size());
  const auto at_once = static_cast<int64_t>(windows_at_once(photo.windows[0], device));
  std::vector<MaskLogits> batches;
  for (int64_t begin = 0; begin < all; begin += at_once) {
    const int64_t n = std::min(at_once, all - begin);
    Encoding part = photo.encoding;
    part.patches = part.patches.narrow(0, begin, n).to(device);
    part.image = part.image.narrow(0, begin, n).to(device);
    batches.push_back(logits_of_classes(model_.decode(part, vocabulary_.embeddings), vocabulary_));
  }
  finish(device);
  return {joined(batches, &MaskLogits::classes), joined(batches, &MaskLogits::trusty),
          joined(batches, &MaskLogits::presence)};
}

SegmentedPhoto SlidingSegmenter::operator()(const Image& photo) const {
  StageTimes times;
  const EncodedPhoto encoded = encoder_(photo, times);
  SegmentedPhoto result = (*this)(encoded);
  result.times.prepare = times.prepare;
  result.times.encode = times.encode;
  return result;
}

SegmentedPhoto SlidingSegmenter::operator()(const EncodedPhoto& photo) const {
  const c10::InferenceMode no_gradients;
  check_memory(photo);
  SegmentedPhoto result;
  Stopwatch watch;
  const WindowLogits logits = decode(photo);
  result.times.decode = watch.lap();
  if (!all_finite(logits)) {
    throw bad_input("the model's output is not a number", "the weights are damaged");
  }
  watch.lap();
  BestClass best = blend(logits, layout_of(photo.windows, photo.picture), rule_,
                         {photo.photo.height, photo.photo.width});
  apply_threshold(threshold_, best);
  result.found = found_classes(best, vocabulary_.classes.size());
  const auto unlabelled = std::ranges::count(best.labels, kIgnore);
  result.unlabelled = static_cast<double>(unlabelled) / static_cast<double>(best.labels.size());
  result.labels = {photo.photo.width, photo.photo.height, std::move(best.labels)};
  result.scores = std::move(best.scores);
  result.times.blend = watch.lap();
  return result;
}

}  // namespace tagclip
