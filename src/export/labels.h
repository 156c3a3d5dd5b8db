#pragma once

#include "export/decode_head.h"
#include "kernels/blend/blend.h"

namespace tagclip {

// The best class of every pixel of one window; see BestClass.
struct LabelValues {
  onnx::Value labels;  // [B, H, W] int64
  onnx::Value scores;  // [B, H, W] float
};

// What a score depends on beside its logit: see ScoreRule.
struct LabelRule {
  ScoreActivation activation = ScoreActivation::kSigmoid;
  bool trusty_means_seen = false;
  // Of seen and of novel classes.
  float seen_bias = 0, novel_bias = 0;
  TrustyWeight seen_weight = TrustyWeight::kNone, novel_weight = TrustyWeight::kNone;

  // Whether scores depend on which classes were seen.
  bool reads_seen() const {
    return seen_bias != novel_bias || seen_weight != TrustyWeight::kNone ||
           novel_weight != TrustyWeight::kNone;
  }
};

// kernels/blend of one window as operators: interpolates the logits bilinearly to `size`, int64
// [2], makes scores of them and takes the best. `seen`, bool [C], is read if the rule reads it.
LabelValues labelled(const MaskValues& logits, const onnx::Value& seen, const onnx::Value& size,
                     const LabelRule& rule);

}  // namespace tagclip
