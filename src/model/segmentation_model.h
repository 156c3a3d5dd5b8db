#pragma once

#include <ATen/ATen.h>

#include <optional>

#include "clip/clip.h"
#include "model/config.h"
#include "model/decoder.h"
#include "model/image_encoder.h"

namespace tagclip {

// What the model says about a batch of photos, always at patch resolution.
struct MaskLogits {
  at::Tensor classes;   // [B, C, H', W']
  at::Tensor trusty;    // [B, 1, H', W']; undefined without a trusty token
  at::Tensor presence;  // [B, C]: is the class in the photo; undefined but in the paper's protocol
};

// The decode head: relationship descriptor, trusty token, segmentor (spec sections 3 and 4).
class DecodeHead {
 public:
  DecodeHead(const ParameterScope& scope, const ModelConfig& config);

  // The relationship descriptor (Eq. 1, 4): text [C, d] unit rows, image [B, d] -> queries [B, C
  // (+1), d], the trusty token's last.
  at::Tensor queries(const at::Tensor& text, const at::Tensor& image) const;

  MaskLogits operator()(const Encoding& encoding, const at::Tensor& text,
                        const Dropout& dropout = {}) const;

  const Decoder& decoder() const { return decoder_; }

 private:
  at::Tensor trusty_token_;  // [1, d]; undefined without
  Linear descriptor_;        // 2d -> d
  Decoder decoder_;
  std::optional<Linear> presence_;  // d -> 1
};

// All of TagCLIP or one of its relatives. Parameter names are the published checkpoints':
// backbone.*, decode_head.*, and text_encoder.* where the text tower is on board.
struct SegmentationModel {
  SegmentationModel(const ModelConfig& config, bool with_text_tower);

  MaskLogits operator()(const at::Tensor& pixels, const at::Tensor& text,
                        const Dropout& dropout = {}) const {
    return head(encoder(pixels, dropout), text, dropout);
  }

  // Gradients for what spec section 2 and 4 train, and for nothing else: prompts, and what of the
  // decode head reaches the output.
  void set_trained();

  ModelConfig config;
  ParameterList parameters;
  ImageEncoder encoder;
  DecodeHead head;
  std::optional<TextTower> text_encoder;
};

// Whether training changes the parameter of that name in a model of this kind.
bool is_trained(const std::string& parameter, const ModelConfig& config);

}  // namespace tagclip
