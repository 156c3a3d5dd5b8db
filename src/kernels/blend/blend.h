#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

namespace tagclip {

struct Extent {
  int64_t height = 0;
  int64_t width = 0;
};

// Where the windows were cut out of a picture. All are of one size; together they cover it.
struct WindowLayout {
  struct Corner {
    int64_t top = 0;
    int64_t left = 0;
  };
  Extent resized;
  Extent window;
  std::vector<Corner> corners;
};

// What the model says about K windows of one photo, at patch resolution; float32.
struct WindowLogits {
  at::Tensor classes;   // [K, C, h, w]
  at::Tensor trusty;    // [K, 1, h, w]; undefined: no score is weighted
  at::Tensor presence;  // [K, C]; undefined: every class is taken for present
};

// How much a class trusts the trusty map. P = P(pixel's class is novel).
enum class TrustyWeight : uint8_t { kNone, kSeen, kNovel };  // x 1, x (1 - P), x P

// What turns a pixel's logits into scores.
enum class ScoreActivation : uint8_t {
  kSigmoid,  // of each window's logits, before windows are averaged (spec section 7.2)
  kSoftmax,  // over the classes, of the logits' average over the windows: dense CLIP
};

// How logits become scores, class by class: (sigmoid(logit) sigmoid(presence) - deduction) x
// weight. With kSoftmax the logits alone count.
struct ScoreRule {
  ScoreActivation activation = ScoreActivation::kSigmoid;
  std::vector<float> seen_bias;
  std::vector<TrustyWeight> weight;
  bool trusty_means_seen = false;  // P = 1 - sigmoid(trusty) instead of sigmoid(trusty)
};

// The best class of every pixel (the lowest index of equals) and its score.
struct BestClass {
  Extent size;
  std::vector<uint16_t> labels;  // [H, W]
  std::vector<float> scores;     // [H, W]; -infinity where no class has a number
};

// From logits to the scores of a photo, [C, H, W], in LibTorch's operations: each window's logits
// go bilinearly to the window and become scores, overlapping windows are averaged, the average goes
// bilinearly to the photo's size. `head_size` > 0: scores are formed at head_size x head_size and
// then resized to the window, as the released code does. Runs where the tensors are.
at::Tensor reference_scores(const WindowLogits& logits, const WindowLayout& layout,
                            const ScoreRule& rule, Extent photo, int64_t head_size = 0);

// The best of scores [C, H, W].
BestClass best_class(const at::Tensor& scores);

// best_class(reference_scores(...)) without ever holding the scores of more than a few rows, on the
// CPU or a GPU. Scores agree to 1e-5; labels, too, where the two best scores differ by more than
// that.
BestClass blend(const WindowLogits& logits, const WindowLayout& layout, const ScoreRule& rule,
                Extent photo);

}  // namespace tagclip
