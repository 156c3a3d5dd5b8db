#pragma once

#include <vector>

#include "export/vision_tower.h"
#include "model/dense_clip.h"

namespace tagclip {

// The methods of model/dense_clip.h and model/sc_clip.h that look at where patches lie or how alike
// they are, as operators.

// NACLIP's Gaussian of the distance of two patches, [1 + N, 1 + N]; 0 for the class token.
onnx::Value neighbourhood(const PatchGrid& grid);

// The patches [B, N, D] that ln_post follows, by SC-CLIP or SFP. `trunk`: the tokens before the
// last block, H_0 to H_(L-1).
onnx::Value calibrated_patches(const GraphBuilder& build, const std::string& tower,
                               const ClipConfig& config, DenseMethod method,
                               const std::vector<onnx::Value>& trunk, const PatchGrid& grid);

}  // namespace tagclip
