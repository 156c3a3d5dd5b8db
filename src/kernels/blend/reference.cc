#include "kernels/blend/reference.h"

#include <limits>

#include "kernels/blend/taper.h"

namespace tagclip {
namespace {

at::Tensor resize(const at::Tensor& maps, Extent size) {  // [1, C, ., .]
  return at::upsample_bilinear2d(maps, {size.height, size.width}, /*align_corners=*/false);
}

// [1, C, 1, 1]: 1 for classes with this weight, 0 for the others.
at::Tensor classes_with(const ScoreRule& rule, TrustyWeight weight) {
  const auto classes = static_cast<int64_t>(rule.weight.size());
  at::Tensor mask = at::empty({1, classes, 1, 1}, at::kFloat);
  for (int64_t c = 0; c < classes; ++c) mask.data_ptr<float>()[c] = rule.weight[c] == weight;
  return mask;
}

// The scores of window k at `size`, [1, C, size].
at::Tensor window_scores(const WindowLogits& logits, int64_t k, const ScoreRule& rule,
                         Extent size) {
  const at::Device device = logits.classes.device();
  at::Tensor scores = resize(logits.classes.narrow(0, k, 1), size);
  if (rule.activation == ScoreActivation::kSoftmax) return scores;
  scores = scores.sigmoid();
  if (logits.presence.defined()) {
    scores = scores * logits.presence.narrow(0, k, 1).sigmoid().unsqueeze(2).unsqueeze(3);
  }
  scores = scores - at::tensor(rule.seen_bias, at::kFloat).view({1, -1, 1, 1}).to(device);
  if (!logits.trusty.defined()) return scores;

  const at::Tensor trusty = resize(logits.trusty.narrow(0, k, 1), size).sigmoid();
  const at::Tensor novel = rule.trusty_means_seen ? 1 - trusty : trusty;
  const auto with = [&](TrustyWeight weight) { return classes_with(rule, weight).to(device); };
  return scores * (with(TrustyWeight::kNone) + with(TrustyWeight::kSeen) * (1 - novel) +
                   with(TrustyWeight::kNovel) * novel);
}

// The weight of a window at each of its pixels, [height, width].
at::Tensor pixel_weights(const WindowLayout& layout) {
  const auto along = [&](int64_t length) {
    return at::tensor(window_weights(length, layout.tapered), at::kFloat);
  };
  return along(layout.window.height).unsqueeze(1) * along(layout.window.width);
}

// best, index [H, W]
BestClass to_best_class(const at::Tensor& best, const at::Tensor& index) {
  const at::Tensor values = best.cpu().contiguous();
  const at::Tensor labels = index.cpu().contiguous();
  BestClass result{{best.size(0), best.size(1)}, {}, {}};
  result.scores.assign(values.data_ptr<float>(), values.data_ptr<float>() + values.numel());
  result.labels.assign(labels.data_ptr<int64_t>(), labels.data_ptr<int64_t>() + labels.numel());
  return result;
}

}  // namespace

at::Tensor blend_maps(const WindowLogits& logits, const WindowLayout& layout, const ScoreRule& rule,
                      Extent image, int64_t head_size) {
  const auto [height, width] = layout.window;
  const Extent formed = head_size > 0 ? Extent{head_size, head_size} : layout.window;
  const auto options = logits.classes.options();
  at::Tensor sum =
      at::zeros({1, logits.classes.size(1), layout.resized.height, layout.resized.width}, options);
  at::Tensor count = at::zeros({layout.resized.height, layout.resized.width}, options);
  const at::Tensor weight = pixel_weights(layout).to(options.device());
  for (size_t k = 0; k < layout.corners.size(); ++k) {
    const auto [top, left] = layout.corners[k];
    const at::Tensor scores = window_scores(logits, static_cast<int64_t>(k), rule, formed);
    sum.narrow(2, top, height).narrow(3, left, width).add_(resize(scores, layout.window) * weight);
    count.narrow(0, top, height).narrow(1, left, width).add_(weight);
  }
  return resize(sum / count, image).squeeze(0);
}

at::Tensor blend_map(std::span<const BlendView> views, const ScoreRule& rule, Extent image,
                     int64_t c) {
  const auto own = [c](const at::Tensor& x) { return x.defined() ? x.narrow(1, c, 1) : x; };
  ScoreRule own_rule = rule;
  own_rule.seen_bias = {rule.seen_bias[c]};
  own_rule.weight = {rule.weight[c]};
  at::Tensor sum;
  for (const auto& [logits, layout] : views) {
    const at::Tensor map = blend_maps({own(logits.classes), logits.trusty, own(logits.presence)},
                                      layout, own_rule, image)[0];
    sum = sum.defined() ? sum.add_(map) : map;
  }
  return views.size() == 1 ? sum : sum.div_(static_cast<double>(views.size()));
}

BestClass blend_by_class(std::span<const BlendView> views, const ScoreRule& rule, Extent image) {
  constexpr float kLeast = -std::numeric_limits<float>::infinity();
  const auto options = views[0].logits.classes.options();
  at::Tensor best = at::full({image.height, image.width}, kLeast, options);
  at::Tensor labels = at::zeros_like(best, at::kLong);
  at::Tensor log_sum = best.clone();  // of the softmax
  const bool softmax = rule.activation == ScoreActivation::kSoftmax;
  for (int64_t c = 0; c < views[0].logits.classes.size(1); ++c) {
    const at::Tensor map = blend_map(views, rule, image, c);
    const at::Tensor better = map > best;
    best = at::where(better, map, best);
    labels.masked_fill_(better, c);
    if (softmax) log_sum = at::logaddexp(log_sum, map);
  }
  return to_best_class(softmax ? (best - log_sum).exp() : best, labels);
}

at::Tensor reference_scores(const WindowLogits& logits, const WindowLayout& layout,
                            const ScoreRule& rule, Extent image, int64_t head_size) {
  const at::Tensor maps = blend_maps(logits, layout, rule, image, head_size);
  return rule.activation == ScoreActivation::kSoftmax ? maps.softmax(0) : maps;
}

BestClass best_class(const at::Tensor& scores) {
  const auto [best, index] = scores.max(0);
  return to_best_class(best, index);
}

}  // namespace tagclip
