#pragma once

#include "export/vision_tower.h"
#include "model/segmentation_model.h"

namespace tagclip {

// PromptedEncoder as operators (model/prompted_encoder.h), with what the prompts contribute as
// constants: normalised pixels [B, 3, H, W] -> encoding.
EncodingValues prompted_encoding(const GraphBuilder& build, const SegmentationModel& model,
                                 const onnx::Value& pixels);

}  // namespace tagclip
