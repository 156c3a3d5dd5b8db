#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/blend/window_rows.h"

namespace tagclip {

// Views of an image and the size that all their scores are interpolated to. Refers to the views and
// the rule.
struct ViewsOnGrid {
  struct View {
    BlendInput input;
    BilinearTable rows, columns;  // its resized image -> grid
  };

  ViewsOnGrid(std::span<const BlendView> given, const ScoreRule& rule, Extent grid);

  const ScoreRule& rule;
  int64_t class_count;
  std::vector<View> views;
};

// Computes the mean over the views of the blended scores of some classes in columns `part` of the
// grid, row by row.
class ViewRowBlender {
 public:
  ViewRowBlender(const ViewsOnGrid& views, Interval classes, Interval part);

  // scores [classes, part] of row y of the grid.
  void operator()(int64_t y, float* scores);

 private:
  using Row = std::vector<float>;

  struct View {
    const BilinearTable& rows;
    Interval source;        // the columns of its resized image that `part` lies between
    BilinearTable columns;  // source -> part
    WindowRowBlender blender;
    TwoRowCache<Row> resized;  // [classes, part], rows of its resized image
    Row blended;               // [classes, source]
  };

  const float* resized_row(View& view, int64_t y) const;

  Interval classes_, part_;
  std::vector<View> views_;
};

}  // namespace tagclip
