#include "kernels/blend/view_rows.h"

#include <algorithm>

#include "base/platform.h"

namespace tagclip {
namespace {

// sum[i] += share (upper[i] + fraction (lower[i] - upper[i]))
TAGCLIP_MULTIVERSION
void add_lerp(const float* __restrict upper, const float* __restrict lower, float fraction,
              float share, int64_t n, float* __restrict sum) {
  for (int64_t i = 0; i < n; ++i) {
    sum[i] += share * (upper[i] + fraction * (lower[i] - upper[i]));
  }
}

}  // namespace

ViewsOnGrid::ViewsOnGrid(std::span<const BlendView> given, const ScoreRule& score_rule, Extent grid)
    : rule(score_rule), class_count(given[0].logits.classes.size(1)) {
  views.reserve(given.size());
  for (const auto& [logits, layout] : given) {
    views.push_back({.input = BlendInput(logits, layout, rule),
                     .rows = BilinearTable(layout.resized.height, grid.height),
                     .columns = BilinearTable(layout.resized.width, grid.width)});
  }
}

ViewRowBlender::ViewRowBlender(const ViewsOnGrid& views, Interval classes, Interval part)
    : classes_(classes), part_(part) {
  const bool several = views.views.size() > 1;
  for (const auto& [input, rows, columns] : views.views) {
    const Interval source = several ? columns.inputs_of(part) : part;
    const int64_t floats = several ? classes.size() : 0;  // one view is taken as it is
    views_.push_back({.rows = rows,
                      .source = source,
                      .columns = columns.slice(part),
                      .blender = WindowRowBlender(input, classes, source),
                      .resized = TwoRowCache(Row(floats * part.size())),
                      .blended = Row(floats * source.size())});
  }
}

const float* ViewRowBlender::resized_row(View& view, int64_t y) const {
  const auto load = [&](int64_t row, Row& to) {
    view.blender(row, view.blended.data());
    for (int64_t c = 0; c < classes_.size(); ++c) {
      resize_row(view.blended.data() + c * view.source.size(), view.columns, {0, part_.size()},
                 to.data() + c * part_.size());
    }
  };
  return view.resized.acquire(y, load).data();
}

void ViewRowBlender::operator()(int64_t y, float* scores) {
  if (views_.size() == 1) return views_[0].blender(y, scores);
  const int64_t count = classes_.size() * part_.size();
  const float share = 1 / static_cast<float>(views_.size());
  std::fill_n(scores, count, 0.0F);
  for (View& view : views_) {
    const float* upper = resized_row(view, view.rows.low[y]);
    const float* lower = resized_row(view, view.rows.high[y]);
    add_lerp(upper, lower, view.rows.fraction[y], share, count, scores);
  }
}

}  // namespace tagclip
