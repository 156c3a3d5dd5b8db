#pragma once

#include <optional>

#include "export/vision_tower.h"
#include "model/config.h"

namespace tagclip {

// Mask logits; see MaskLogits.
struct MaskValues {
  onnx::Value classes;                  // [B, C, h, w]
  std::optional<onnx::Value> trusty;    // [B, 1, h, w]
  std::optional<onnx::Value> presence;  // [B, C]
};

// DecodeHead as operators (model/decode_head.h): an encoding and text embeddings [C, d], unit rows.
// `trusty_token`: see DecodeOptions.
MaskValues decoded(const GraphBuilder& build, const ModelConfig& config,
                   const EncodingValues& encoding, const onnx::Value& text, bool trusty_token);

}  // namespace tagclip
