#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <vector>

namespace tagclip {

// Pixels.
struct Extent {
  int64_t height = 0;
  int64_t width = 0;
};

// The windows that were cut out of a resized image. They have one size and together cover it.
struct WindowLayout {
  struct Corner {
    int64_t top = 0;
    int64_t left = 0;
  };
  Extent resized;
  Extent window;
  std::vector<Corner> corners;
  // True if a window counts the less, the nearer its border is: see taper.h. Otherwise overlapping
  // windows count the same.
  bool tapered = false;
};

// The decoder's outputs for K windows of one image, at patch resolution; float32.
struct WindowLogits {
  at::Tensor classes;   // [K, C, h, w]
  at::Tensor trusty;    // [K, 1, h, w]; undefined: scores are not weighted
  at::Tensor presence;  // [K, C] logits; undefined: every class has presence 1
};

// One look at the image: resized its own way, cut into windows of its own. A mirrored one is given
// mirrored back.
struct BlendView {
  WindowLogits logits;
  WindowLayout layout;
};

// The weighting of a class's score by P, the probability that the pixel's class is novel.
enum class TrustyWeight : uint8_t { kNone, kSeen, kNovel };  // by 1, 1 - P, P

// The function that turns logits into scores.
enum class ScoreActivation : uint8_t {
  kSigmoid,  // per window and class, before the windows are averaged (spec section 7.2)
  kSoftmax,  // over the classes, after the logits of the windows are averaged: dense CLIP
};

// The score of class c at a pixel: (sigmoid(logit) sigmoid(presence) - seen_bias[c]) times its
// TrustyWeight. With kSoftmax only the logits count.
struct ScoreRule {
  ScoreActivation activation = ScoreActivation::kSigmoid;
  std::vector<float> seen_bias;      // [C]; calibrated stacking: 0.1 for seen classes, else 0
  std::vector<TrustyWeight> weight;  // [C]
  bool trusty_means_seen = false;  // P = 1 - sigmoid(trusty), as in the paper; else sigmoid(trusty)
};

// The best class of every pixel, the lowest index among equals, and its score.
struct BestClass {
  Extent size;
  std::vector<uint16_t> labels;  // [H, W]
  std::vector<float> scores;     // [H, W]; -infinity where the logits of all classes are NaN
};

// Interpolates the logits of each window bilinearly to the window's size, makes scores of them,
// averages overlapping windows, interpolates the average bilinearly to the size of `image` and
// takes the best class of every pixel. Runs on the device of the logits, the CPU or a GPU. Holds
// scores of a few rows at a time only.
//
// Equals best_class(reference_scores(...)) of reference.h: scores agree to 1e-5, and labels where
// the two best scores differ by more than that.
BestClass blend(const WindowLogits& logits, const WindowLayout& layout, const ScoreRule& rule,
                Extent image);

// The same for several views of the image (test-time augmentation): the scores of each are
// interpolated to the size of `image` and averaged, with kSoftmax before the softmax. Several views
// on a GPU are averaged class by class with LibTorch's operations.
BestClass blend(std::span<const BlendView> views, const ScoreRule& rule, Extent image);

}  // namespace tagclip
