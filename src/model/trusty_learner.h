#pragma once

#include <ATen/ATen.h>

#include <optional>

#include "clip/transformer.h"
#include "model/config.h"
#include "model/cross_attention.h"
#include "model/dropout.h"

namespace tagclip {

// Width of an input of the learner, of d-wide embeddings: d or 2d.
int64_t learner_input_width(LearnerInput input, int64_t d);

// The input made of T' [Q, d] and h [B, d]: [B, Q, d or 2d].
at::Tensor learner_input(LearnerInput input, const at::Tensor& tokens, const at::Tensor& image);

// The Trusty Learner as a module of its own: Table 1 (c) but for T-hat three times. The paper fixes
// neither how widths are aligned nor where T' joins; as in the released code, but that it never
// trains these projections: a Linear an input, attention, shortcut on the projected query,
// LayerNorm, and with `learner_text_after` a Linear of output and T'.
class TrustyLearner {
 public:
  TrustyLearner(const ParameterScope& scope, const ModelConfig& config);

  // tokens T' [Q, d], image h [B, d] -> the decoder's queries [B, Q, d].
  at::Tensor operator()(const at::Tensor& tokens, const at::Tensor& image,
                        const Dropout& dropout) const;

 private:
  struct Input {
    Input(const ParameterScope& scope, LearnerInput kind, const ModelConfig& config);
    at::Tensor operator()(const at::Tensor& tokens, const at::Tensor& image) const;

    LearnerInput kind;
    Linear projection;  // -> d
  };

  Input query_, key_, value_;
  CrossAttention attention_;
  LayerNorm norm_;
  std::optional<Linear> join_;  // [output, T'], 2d -> d
};

}  // namespace tagclip
