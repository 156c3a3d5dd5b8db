#include "export/labels.h"

namespace tagclip {

using onnx::Value;

namespace {

// A number per class by whether it was seen: [1, C, 1, 1].
Value by_class(const Value& seen, const Value& of_seen, const Value& of_novel) {
  return where(unsqueeze(seen, {0, 2, 3}), of_seen, of_novel);
}

// The softmax's best class is that of the logits, and its probability 1 / sum exp(logit - best).
LabelValues softmax_labels(const MaskValues& logits, const Value& size) {
  // A softmax does not see what the classes have in common; without it rounding is smaller.
  const Value maps = resize_bilinear(logits.classes - mean(logits.classes, 1), size);
  const Value best = maximum(maps, 1);
  return {argmax(maps, 1), 1.0F / sum(exp(maps - best), 1, /*keep=*/false)};
}

}  // namespace

LabelValues labelled(const MaskValues& logits, const Value& seen, const Value& size,
                     const LabelRule& rule) {
  if (rule.activation == ScoreActivation::kSoftmax) return softmax_labels(logits, size);
  onnx::Graph& graph = *logits.classes.graph;
  Value scores = sigmoid(resize_bilinear(logits.classes, size));  // [B, C, H, W]
  if (logits.presence) scores = scores * sigmoid(unsqueeze(*logits.presence, {2, 3}));
  if (rule.seen_bias != rule.novel_bias) {
    scores =
        scores - by_class(seen, graph.constant(rule.seen_bias), graph.constant(rule.novel_bias));
  }
  const bool weighs_seen = rule.seen_weight != TrustyWeight::kNone;
  const bool weighs_novel = rule.novel_weight != TrustyWeight::kNone;
  if (logits.trusty && (weighs_seen || weighs_novel)) {
    const Value trusty = sigmoid(resize_bilinear(*logits.trusty, size));  // [B, 1, H, W]
    const Value other = 1.0F - trusty;
    const Value one = graph.constant(1.0F);
    const Value& is_seen = rule.trusty_means_seen ? trusty : other;
    const Value& is_novel = rule.trusty_means_seen ? other : trusty;
    scores = scores * by_class(seen, weighs_seen ? is_seen : one, weighs_novel ? is_novel : one);
  }
  return {argmax(scores, 1), maximum(scores, 1, /*keep=*/false)};
}

}  // namespace tagclip
