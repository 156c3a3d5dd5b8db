#pragma once

#include <array>

namespace tagclip {

// Mean and standard deviation of red, green and blue, of pixels from 0 to 1: a model reads
// (pixel - mean) / std. The defaults are ImageNet's, mmsegmentation's, hence TagCLIP's and
// ZegCLIP's.
struct PixelNormalization {
  std::array<double, 3> mean{0.485, 0.456, 0.406};
  std::array<double, 3> std{0.229, 0.224, 0.225};

  bool operator==(const PixelNormalization&) const = default;
};

// The numbers of OpenAI's CLIP and those after it.
inline constexpr PixelNormalization kClipNormalization{{0.48145466, 0.4578275, 0.40821073},
                                                       {0.26862954, 0.26130258, 0.27577711}};

}  // namespace tagclip
