#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <variant>

#include "clip/transformer.h"
#include "model/config.h"
#include "model/decoder.h"
#include "model/dense_model.h"
#include "model/dropout.h"

namespace tagclip {

// Returns the width of an input of the learner: d or 2d.
int64_t learner_input_width(LearnerInput input, int64_t d);

// Returns the input made of T' [Q, d] and h [B, d], which is repeated: [B, Q, d or 2d].
at::Tensor learner_input(LearnerInput input, const at::Tensor& tokens, const at::Tensor& image);

// Computes the Trusty Learner as a module of its own, for the rows of Table 1 (c) whose queries,
// keys and values are not all T-hat. The paper fixes neither how widths are aligned nor where T'
// joins. As in the released code, whose input projections are never trained, however: a Linear per
// input, attention, shortcut on the projected query, LayerNorm (Eq. 5), and with
// `learner_text_after` a Linear of output and T' (Figure 4).
class TrustyLearner {
 public:
  TrustyLearner(const ParameterScope& scope, const ModelConfig& config);

  // Maps tokens T' [Q, d] and image h [B, d] to the decoder's queries [B, Q, d].
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

// Combines the decode head (paper Section 3.2; spec sections 3 and 4): trusty token, relationship
// descriptor or Trusty Learner, segmentor.
class DecodeHead : public MaskDecoder {
 public:
  DecodeHead(const ParameterScope& scope, const ModelConfig& config);

  // Returns T-hat (Eq. 1, 4), aligned to d, or the Trusty Learner's output: text T [C, d], unit
  // rows, and image h [B, d] -> the segmentor's queries [B, C (+1), d], the trusty token's last.
  at::Tensor queries(const at::Tensor& text, const at::Tensor& image, const Dropout& dropout = {},
                     const DecodeOptions& options = {}) const;

  MaskLogits operator()(const Encoding& encoding, const at::Tensor& text,
                        const DecodeOptions& options) const override {
    return (*this)(encoding, text, Dropout(), options);
  }
  // Computes the logits as training needs them. The segmentor's masks are split into those of the
  // classes (M_R) and the trusty map (M_A).
  MaskLogits operator()(const Encoding& encoding, const at::Tensor& text,
                        const Dropout& dropout = {}, const DecodeOptions& options = {}) const;

  const Decoder& decoder() const { return decoder_; }

 private:
  // Is the relationship descriptor (2d -> d, of T-hat), or a learner in its place.
  using Relation = std::variant<Linear, TrustyLearner>;

  bool uses_token(const DecodeOptions& options) const {
    return trusty_token_.defined() && options.trusty_token;
  }

  at::Tensor trusty_token_;  // [1, d]; undefined without
  Relation relation_;
  Decoder decoder_;
  std::optional<Linear> presence_;  // d -> 1: P of Eq. 7, as SegViT has it
};

}  // namespace tagclip
