#pragma once

#include "export/decode_head.h"
#include "export/vision_tower.h"
#include "model/dense_clip.h"

namespace tagclip {

// DenseClipEncoder as operators (model/dense_clip.h): normalised pixels [B, 3, H, W] -> encoding.
// The parameters are a Clip's.
EncodingValues dense_encoding(const GraphBuilder& build, const ClipConfig& config,
                              DenseMethod method, const onnx::Value& pixels);

// CosineDecoder as operators.
MaskValues cosines(const EncodingValues& encoding, const onnx::Value& text, double logit_scale);

}  // namespace tagclip
