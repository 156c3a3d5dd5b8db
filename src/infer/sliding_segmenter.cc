#include "infer/sliding_segmenter.h"

#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "kernels/blend/reference.h"

namespace tagclip {
namespace {

constexpr int64_t kMaxLogitBytes = 4LL << 30;

at::Tensor concat(const std::vector<MaskLogits>& batches, at::Tensor MaskLogits::* part) {
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
    if (best.scores[i] < threshold) best.labels[i] = kIgnoreIndex;
  }
}

std::vector<FoundClass> found_classes(const BestClass& best, size_t classes) {
  std::vector<int64_t> pixels(classes);
  std::vector<double> score_sum(classes);
  for (size_t i = 0; i < best.labels.size(); ++i) {
    if (best.labels[i] == kIgnoreIndex) continue;
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

// One class of the logits and of their rule.
WindowLogits of_class(const WindowLogits& logits, int64_t c) {
  const auto own = [c](const at::Tensor& x) { return x.defined() ? x.narrow(1, c, 1) : x; };
  return {own(logits.classes), logits.trusty, own(logits.presence)};
}

ScoreRule of_class(const ScoreRule& rule, int64_t c) {
  ScoreRule own = rule;
  own.seen_bias = {rule.seen_bias[c]};
  own.weight = {rule.weight[c]};
  return own;
}

// The seen bias of a model's classes.
float seen_bias(bool inductive, const InferenceOptions& options, const ScoreSemantics& scoring) {
  if (scoring.calibrated_stacking) {
    return static_cast<float>(options.seen_bias.value_or(inductive ? kReleasedSeenBias : 0));
  }
  if (options.seen_bias.value_or(0) == 0) return 0;
  throw usage_error("`seen_bias` is for models that were trained to segment",
                    "leave it out in the modes clip and sclip");
}

void check_size(const EncodedPhoto& photo, const EmbeddedVocabulary& vocabulary) {
  if (vocabulary.classes.size() >= kIgnoreIndex) {
    throw usage_error(fmt::format("{} classes: label files number at most {}",
                                  vocabulary.classes.size(), kIgnoreIndex - 1),
                      "look for fewer classes");
  }
  const auto patches = static_cast<double>(photo.encoding.patches.size(1));
  const auto windows = static_cast<double>(photo.windows.size());
  const double logits = patches * windows * static_cast<double>(vocabulary.embeddings.size(0));
  if (logits * sizeof(float) <= kMaxLogitBytes) return;
  throw bad_input(fmt::format("the photo needs {} windows, too many for {} classes",
                              photo.windows.size(), vocabulary.classes.size()),
                  "cut the photo into pieces, or look for fewer classes");
}

WindowLogits decode(const EncodedPhoto& photo, const DenseModel& model,
                    const EmbeddedVocabulary& vocabulary, const InferenceOptions& options) {
  const at::Device device = vocabulary.embeddings.device();
  const auto all = static_cast<int64_t>(photo.windows.size());
  const auto most = static_cast<int64_t>(windows_per_batch(photo.windows[0], device));
  std::vector<MaskLogits> batches;
  for (int64_t begin = 0; begin < all; begin += most) {
    const int64_t n = std::min(most, all - begin);
    Encoding part = photo.encoding;
    part.patches = part.patches.narrow(0, begin, n).to(device);
    part.image = part.image.narrow(0, begin, n).to(device);
    batches.push_back(logits_of_classes(
        (*model.decoder)(part, vocabulary.embeddings, {.trusty_token = options.trusty_token}),
        vocabulary));
  }
  finish(device);
  WindowLogits logits{concat(batches, &MaskLogits::classes), concat(batches, &MaskLogits::trusty),
                      concat(batches, &MaskLogits::presence)};
  if (!all_finite(logits)) {
    throw bad_input("the model's output is not a number", "the weights are damaged");
  }
  // A softmax over the classes does not see what they have in common. Without it rounding is
  // relative to the differences of a CLIP's logits, and not to their size of up to 100.
  if (model.scoring.activation == ScoreActivation::kSoftmax) {
    logits.classes = logits.classes - logits.classes.mean(1, /*keepdim=*/true);
  }
  return logits;
}

}  // namespace

ScoreRule score_rule(const std::vector<bool>& seen, bool inductive, const InferenceOptions& options,
                     const ScoreSemantics& scoring) {
  const Weighting weighting = options.weighting;
  const bool weight_seen = weighting == Weighting::kSeen || weighting == Weighting::kBoth;
  const bool weight_novel = weighting == Weighting::kUnseen || weighting == Weighting::kBoth;
  const float bias = seen_bias(inductive, options, scoring);
  ScoreRule rule{.activation = scoring.activation, .trusty_means_seen = scoring.trusty_means_seen};
  for (const bool is_seen : seen) {
    rule.seen_bias.push_back(is_seen ? bias : 0);
    const bool weighted = is_seen ? weight_seen : weight_novel;
    const TrustyWeight weight = is_seen ? TrustyWeight::kSeen : TrustyWeight::kNovel;
    rule.weight.push_back(weighted ? weight : TrustyWeight::kNone);
  }
  return rule;
}

SegmentedPhoto segment(const EncodedPhoto& photo, const DenseModel& model,
                       const EmbeddedVocabulary& vocabulary, const InferenceOptions& options) {
  const c10::InferenceMode no_gradients;
  check_size(photo, vocabulary);
  const ScoreRule rule = score_rule(vocabulary.seen, vocabulary.inductive, options, model.scoring);
  SegmentedPhoto result;
  Stopwatch watch;
  const WindowLogits logits = decode(photo, model, vocabulary, options);
  result.times.decode = watch.lap();
  BestClass best = blend(logits, layout_of(photo.windows, photo.resized_size), rule,
                         {photo.original_size.height, photo.original_size.width});
  apply_threshold(options.threshold, best);
  result.found = found_classes(best, vocabulary.classes.size());
  const auto unlabelled = std::ranges::count(best.labels, kIgnoreIndex);
  result.unlabelled = static_cast<double>(unlabelled) / static_cast<double>(best.labels.size());
  result.labels = {photo.original_size.width, photo.original_size.height, std::move(best.labels)};
  result.scores = std::move(best.scores);
  result.times.blend = watch.lap();
  return result;
}

std::vector<std::vector<float>> class_scores(const EncodedPhoto& photo, const DenseModel& model,
                                             const EmbeddedVocabulary& vocabulary,
                                             const InferenceOptions& options,
                                             std::span<const int> classes) {
  const c10::InferenceMode no_gradients;
  check_size(photo, vocabulary);
  for (const int c : classes) {
    if (c >= 0 && c < std::ssize(vocabulary.classes)) continue;
    throw usage_error(fmt::format("there is no class {}", c), "classes are numbered from 0");
  }
  const ScoreRule rule = score_rule(vocabulary.seen, vocabulary.inductive, options, model.scoring);
  const WindowLogits logits = decode(photo, model, vocabulary, options);
  const WindowLayout layout = layout_of(photo.windows, photo.resized_size);
  const Extent size{photo.original_size.height, photo.original_size.width};
  const auto map_of = [&](int64_t c) {
    return blend_maps(of_class(logits, c), layout, of_class(rule, c), size).squeeze(0);
  };
  at::Tensor denominator;  // of the softmax, as a logarithm [H, W]
  if (rule.activation == ScoreActivation::kSoftmax) {
    for (int64_t c = 0; c < logits.classes.size(1); ++c) {
      denominator = denominator.defined() ? at::logaddexp(denominator, map_of(c)) : map_of(c);
    }
  }
  std::vector<std::vector<float>> maps;
  for (const int c : classes) {
    at::Tensor map = map_of(c);
    if (denominator.defined()) map = (map - denominator).exp();
    map = map.cpu().contiguous();
    maps.emplace_back(map.const_data_ptr<float>(), map.const_data_ptr<float>() + map.numel());
  }
  return maps;
}

SlidingSegmenter::SlidingSegmenter(DenseModel model, EmbeddedVocabulary vocabulary,
                                   const InferenceOptions& options)
    : model_(std::move(model)),
      vocabulary_(std::move(vocabulary)),
      options_(options),
      encoder_(model_, options) {
  score_rule(vocabulary_.seen, vocabulary_.inductive, options_, model_.scoring);  // mistakes first
}

SegmentedPhoto SlidingSegmenter::operator()(const Image& photo) const {
  StageTimes times;
  const EncodedPhoto encoded = encoder_(photo, times);
  SegmentedPhoto result = (*this)(encoded);
  result.times += times;
  return result;
}

}  // namespace tagclip
