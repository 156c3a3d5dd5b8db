#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <variant>

#include "clip/clip.h"
#include "model/config.h"
#include "model/decoder.h"
#include "model/dense_model.h"
#include "model/image_encoder.h"
#include "model/trusty_learner.h"

namespace tagclip {

// The decode head: trusty token, relationship descriptor or Trusty Learner, segmentor (spec
// sections 3 and 4).
class DecodeHead {
 public:
  DecodeHead(const ParameterScope& scope, const ModelConfig& config);

  // What text and photo are to each other (Eq. 1, 4): text [C, d] unit rows, image [B, d] -> the
  // segmentor's queries [B, C (+1), d], the trusty token's last. Without the token, by the options
  // or the config, self-attention sees the C rows of the text alone (Table 3 as released).
  at::Tensor queries(const at::Tensor& text, const at::Tensor& image, const Dropout& dropout = {},
                     const DecodeOptions& options = {}) const;

  MaskLogits operator()(const Encoding& encoding, const at::Tensor& text,
                        const Dropout& dropout = {}, const DecodeOptions& options = {}) const;

  const Decoder& decoder() const { return decoder_; }

 private:
  bool uses_token(const DecodeOptions& options) const {
    return trusty_token_.defined() && options.trusty_token;
  }

  // The relationship descriptor (2d -> d, of T-hat), or a learner in its place.
  using Relation = std::variant<Linear, TrustyLearner>;

  at::Tensor trusty_token_;  // [1, d]; undefined without
  Relation relation_;
  Decoder decoder_;
  std::optional<Linear> presence_;  // d -> 1
};

// All of TagCLIP or one of its relatives. Parameter names are the published checkpoints':
// backbone.*, decode_head.*, and text_encoder.* where the text tower is on board.
struct SegmentationModel : DenseModel {
  SegmentationModel(const ModelConfig& config, bool with_text_tower);

  MaskLogits operator()(const at::Tensor& pixels, const at::Tensor& text,
                        const Dropout& dropout = {}) const {
    return head(encoder(pixels, dropout), text, dropout);
  }

  Encoding encode(const at::Tensor& pixels) const override { return encoder(pixels); }
  MaskLogits decode(const Encoding& encoding, const at::Tensor& text,
                    const DecodeOptions& options) const override {
    return head(encoding, text, {}, options);
  }
  std::shared_ptr<DenseModel> clone() const override {
    return std::make_shared<SegmentationModel>(*this);
  }
  void pack(GemmPrecision precision) override;
  at::Device device() const override { return parameters.all().front().tensor.device(); }
  const ClipConfig& clip_config() const override { return config.clip; }
  const TextTower* text_tower() const override { return text_encoder ? &*text_encoder : nullptr; }
  Colours colours() const override { return Colours::kImageNet; }
  ScoreSemantics scoring() const override {
    return {.trusty_means_seen = config.protocol == Protocol::kPaper};
  }
  // The paper's: windows of 512, 426 apart, on photos of that short side (spec section 7.1).
  WindowSizes window_sizes() const override { return {config.clip.resolution, 426.0 / 512, 1}; }
  std::string encoder_fingerprint() const override;

  // Gradients for what spec section 2 and 4 train, and for nothing else: prompts, and what of the
  // decode head reaches the output.
  void set_trained();

  ModelConfig config;
  ParameterList parameters;
  ImageEncoder encoder;
  DecodeHead head;
  std::optional<TextTower> text_encoder;

 private:
  std::string packed_fingerprint_;  // encoder_fingerprint() of what pack() let go
};

// Whether training changes the parameter of that name in a model of this kind.
bool is_trained(const std::string& parameter, const ModelConfig& config);

}  // namespace tagclip
