#pragma once

#include <ATen/ATen.h>

#include <optional>

#include "clip/clip.h"
#include "model/config.h"
#include "model/decode_head.h"
#include "model/dense_model.h"
#include "model/prompted_encoder.h"

namespace tagclip {

// Holds all of TagCLIP or one of its relatives, as training sees it. Parameter names are the
// published checkpoints': backbone.*, decode_head.*, and text_encoder.* where the text tower is on
// board. Copies share the weights.
struct SegmentationModel {
  // Throws Error(kUsage) when the config's fields do not fit together.
  SegmentationModel(const ModelConfig& config, bool with_text_tower);

  // `pixels` are [B, 3, H, W], normalised; `text` is [C, d], unit rows.
  MaskLogits operator()(const at::Tensor& pixels, const at::Tensor& text,
                        const Dropout& dropout = {}) const {
    return head(encoder(pixels, dropout), text, dropout);
  }

  // Enables gradients for what spec sections 2 and 4 train, and for nothing else: prompts, and the
  // part of the decode head that reaches the output.
  void set_trained();

  // Returns the device of all parameters.
  at::Device device() const { return parameters.all().front().tensor.device(); }

  ModelConfig config;
  ParameterList parameters;
  PromptedEncoder encoder;
  DecodeHead head;
  std::optional<TextTower> text_encoder;
};

// Returns the model for inference, sharing its weights, which must be final: what the prompts
// contribute is computed here. Windows are the paper's: 512 pixels, 426 apart, on images of that
// short side (spec section 7.1).
DenseModel dense_model(const SegmentationModel& model);

// Returns how the logits of such a model are read.
ScoreSemantics score_semantics(const ModelConfig& config);

// Returns whether training changes the parameter of that name in a model of this kind.
bool is_trained(const std::string& parameter, const ModelConfig& config);

}  // namespace tagclip
