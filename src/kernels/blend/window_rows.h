#pragma once

#include <cstdint>
#include <vector>

#include "kernels/blend/blend.h"
#include "kernels/common/bilinear.h"

namespace tagclip {

// The inputs of `blend` as its loops read them. Refers to `layout` and `rule`.
struct BlendInput {
  BlendInput(const WindowLogits& logits, const WindowLayout& layout, const ScoreRule& rule);

  // Row y of the logits of class c in a window, [w].
  const float* class_row(size_t window, int64_t c, int64_t y) const {
    return classes_data + ((window * class_count + c) * grid.height + y) * grid.width;
  }
  const float* trusty_row(size_t window, int64_t y) const {
    return trusty_data + (window * grid.height + y) * grid.width;
  }

  const WindowLayout& layout;
  const ScoreRule& rule;
  at::Tensor classes, trusty;   // own the memory
  const float* classes_data;    // [K, C, h, w]
  const float* trusty_data;     // [K, h, w], or nullptr
  std::vector<float> presence;  // [K, C], probabilities
  int64_t class_count;
  Extent grid;                                     // h, w
  BilinearTable rows, columns;                     // grid -> window
  std::vector<float> row_weights, column_weights;  // of a window, whose products count
};

// Computes blended scores of some classes in columns `part` of the resized image, row by row.
class WindowRowBlender {
 public:
  WindowRowBlender(const BlendInput& input, Interval classes, Interval part);

  // scores [classes, part] of row y of the resized image.
  void operator()(int64_t y, float* scores);

 private:
  using Row = std::vector<float>;

  // A window that overlaps `part`. Many rows of the resized image lie between the same two rows of
  // its logits, which are kept interpolated to the window's columns.
  struct ResizedWindow {
    size_t window;
    Interval columns;       // of the window, those inside `part`
    int64_t first;          // the column of `part` where they begin
    TwoRowCache<Row> rows;  // [classes + 1, columns], the trusty logits last

    int64_t count() const { return columns.size(); }
  };
  // The contribution of one window to the current row.
  struct RowContribution {
    const ResizedWindow& resized;
    int64_t row;         // of the window
    const float* upper;  // the two rows of its logits ...
    const float* lower;
    float fraction;  // ... and the position between them
  };

  const float* logits_row(ResizedWindow& resized, int64_t row) const;
  std::vector<RowContribution> contributions_to(int64_t y);
  void find_weights(const RowContribution& contribution);
  void add(const RowContribution& contribution, float* scores);

  const BlendInput& input_;
  Interval classes_, part_;
  std::vector<ResizedWindow> windows_;
  std::vector<float> share_;       // [part]: 1 / weights of the windows that cover the pixel
  std::vector<float> weights_[3];  // [part] per TrustyWeight: share x weight, of one contribution
  std::vector<float> trusty_;      // [part]: sigmoid(trusty)
};

}  // namespace tagclip
