#pragma once

#include <cstdint>
#include <vector>

#include "kernels/blend/blend.h"
#include "kernels/blend/simd_rows.h"
#include "kernels/common/bilinear.h"

namespace tagclip {

// The logits of a photo's windows as the loops want them. Refers to `layout` and `rule`.
struct BlendInput {
  BlendInput(const WindowLogits& logits, const WindowLayout& layout, const ScoreRule& rule);

  const float* class_row(size_t window, int64_t c, int64_t y) const {
    return classes_data + ((window * class_count + c) * grid.height + y) * grid.width;
  }
  const float* trusty_row(size_t window, int64_t y) const {
    return trusty_data + (window * grid.height + y) * grid.width;
  }

  const WindowLayout& layout;
  const ScoreRule& rule;
  at::Tensor classes, trusty;   // keep the memory alive
  const float* classes_data;    // [K, C, h, w]
  const float* trusty_data;     // [K, h, w]; nullptr where none
  std::vector<float> presence;  // [K, C], probabilities
  int64_t class_count;
  Extent grid;                 // h, w
  BilinearAxis rows, columns;  // logits -> window
};

// Computes blended scores of some classes a row of the picture at a time, in the columns `part`.
class RowBlender {
 public:
  RowBlender(const BlendInput& input, Interval classes, Interval part);

  // scores [classes, part] of row y.
  void operator()(int64_t y, float* scores);

 private:
  // A window that touches `part`: two neighbouring rows of its logits at a time, stretched to its
  // columns. Many rows of the picture lie between the same two.
  struct Stretched {
    size_t window;
    int64_t first;               // its first column, counted from part.begin
    Columns columns;             // how the logits become its columns
    std::vector<float> ring[2];  // [classes + 1, columns], the trusty logits last
    int64_t held[2] = {-1, -1};  // rows of the logits in the ring
  };
  // What a window contributes to the current row.
  struct Patch {
    const Stretched& stretched;
    const float* upper;  // two stretched rows ...
    const float* lower;
    float fraction;  // ... and the place between them
  };

  const float* stretch(Stretched& stretched, int64_t row) const;
  std::vector<Patch> patches_on(int64_t y);
  void weigh(const Patch& patch);
  void add(const Patch& patch, float* scores);

  const BlendInput& input_;
  Interval classes_, part_;
  std::vector<Stretched> windows_;
  std::vector<float> share_;       // [part] 1 / number of windows over the pixel
  std::vector<float> weights_[3];  // [part] by TrustyWeight: share x weight, for one patch
  std::vector<float> trusty_;      // [part] sigmoid(trusty)
};

}  // namespace tagclip
