#pragma once

#include <cstdint>

#include "model/dense_clip.h"

namespace tagclip {

// How the published results of a method were made; of kPlain, what served the model that ships.
struct DenseRecipe {
  WindowSizes windows;
  double logit_scale;
};
// Windows, short side and scale, in sizes of CLIP's own `resolution` (224 pixels for ViT-B/16).
DenseRecipe dense_recipe(DenseMethod method, bool whole_photo, double resolution);

// The numbers in the methods, those of the published code.
namespace dense {

// NACLIP's Gaussian has this standard deviation, in patches.
inline constexpr double kNeighbourhood = 5;

// SC-CLIP and SFP.
inline constexpr int64_t kNeighbours = 30;
inline constexpr double kOutlierQuantile = 0.95;
inline constexpr double kLeastSimilarity = 0.4;
inline constexpr double kContrast = 3;
inline constexpr double kClassShare = 0.3;
inline constexpr double kClassWeight = 1.5;   // of the class token's attention, in SFP
inline constexpr int64_t kMostOutliers = 10;  // likewise
inline constexpr double kEpsilon = 1e-6;

}  // namespace dense

// The blocks whose tokens SC-CLIP and SFP read, by the depth L of the tower: H_n are those after
// block n. `middle` are H_early + ... + H_middle_end.
struct TrunkBlocks {
  explicit TrunkBlocks(int64_t layers);
  int64_t last, early, late, middle_end;
};

}  // namespace tagclip
