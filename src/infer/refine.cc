#include "infer/refine.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "kernels/blend/reference.h"
#include "kernels/common/bilinear.h"
#include "kernels/refine/guided_filter.h"
#include "kernels/refine/pamr.h"

namespace tagclip {
namespace {

constexpr int kTile = 1024;  // pixels

// Outputs begin .. begin + count - 1 of an axis interpolated from `inputs` to `outputs` positions.
at::Tensor interpolate(const at::Tensor& maps, int64_t axis, int64_t outputs, int64_t begin,
                       int64_t count) {
  const BilinearScale scale = BilinearScale::of(maps.size(axis), outputs);
  at::Tensor low = at::empty({count}, at::kLong), high = at::empty({count}, at::kLong);
  at::Tensor fraction = at::empty({count});
  for (int64_t i = 0; i < count; ++i) {
    const BilinearSample sample = scale.sample(static_cast<int32_t>(begin + i));
    low.mutable_data_ptr<int64_t>()[i] = sample.low;
    high.mutable_data_ptr<int64_t>()[i] = sample.high;
    fraction.mutable_data_ptr<float>()[i] = sample.fraction;
  }
  if (axis + 1 < maps.dim()) fraction = fraction.unsqueeze(1);
  return maps.index_select(axis, low).lerp(maps.index_select(axis, high), fraction);
}

at::Tensor interpolate(const at::Tensor& maps, Size photo, const CropBox& box) {
  return interpolate(interpolate(maps, 1, photo.height, box.y, box.height), 2, photo.width, box.x,
                     box.width);
}

// The mean of map r of each view in a part of the photo, [height, width].
at::Tensor mean_of_views(std::span<const at::Tensor> maps, int64_t r, Size photo,
                         const CropBox& box) {
  at::Tensor sum;
  for (const at::Tensor& of_view : maps) {
    const at::Tensor map = interpolate(of_view.narrow(0, r, 1), photo, box)[0];
    sum = sum.defined() ? sum.add_(map) : map;
  }
  return maps.size() == 1 ? sum : sum.div_(static_cast<double>(maps.size()));
}

// The pixels of a part of the photo, [3, height, width].
at::Tensor pixels_of(const Image& photo, const CropBox& box) {
  const at::Tensor all = at::from_blob(const_cast<uint8_t*>(photo.pixels.data()),
                                       {photo.height, photo.width, 3}, at::kByte);
  return all.narrow(0, box.y, box.height).narrow(1, box.x, box.width).permute({2, 0, 1});
}

// The box and what lies around it within `margin`, inside the photo.
CropBox with_margin(const CropBox& box, int margin, Size photo) {
  const int left = std::max(0, box.x - margin), top = std::max(0, box.y - margin);
  return {left, top, std::min(photo.width, box.x + box.width + margin) - left,
          std::min(photo.height, box.y + box.height + margin) - top};
}

int reach_of(Refine method) {
  if (method == Refine::kNone) return 0;
  return static_cast<int>(method == Refine::kPamr ? Pamr::reach({}) : GuidedFilter::reach({}));
}

std::function<at::Tensor(const at::Tensor&)> filter_of(const at::Tensor& pixels, Refine method) {
  if (method == Refine::kNone) return [](const at::Tensor& map) { return map; };
  if (method == Refine::kPamr) return Pamr(pixels, {});
  return GuidedFilter(pixels, {});
}

}  // namespace

void refine_maps(std::span<const at::Tensor> maps, const Image& photo, Refine method,
                 const std::function<void(const RefinedTile&)>& use) {
  const Size size{photo.width, photo.height};
  const int margin = reach_of(method);
  for (int y = 0; y < photo.height; y += kTile) {
    for (int x = 0; x < photo.width; x += kTile) {
      const CropBox box{x, y, std::min(kTile, photo.width - x), std::min(kTile, photo.height - y)};
      const CropBox around = with_margin(box, margin, size);
      const auto filter = filter_of(pixels_of(photo, around), method);
      const auto inner = [&](const at::Tensor& map) {
        return map.narrow(-2, box.y - around.y, box.height).narrow(-1, box.x - around.x, box.width);
      };
      std::vector<at::Tensor> plain, refined;
      for (int64_t r = 0; r < maps[0].size(0); ++r) {
        const at::Tensor map = mean_of_views(maps, r, size, around);
        plain.push_back(inner(map));
        refined.push_back(inner(filter(map)));
      }
      use({box, at::stack(plain), at::stack(refined)});
    }
  }
}

at::Tensor growth_of_sum(const RefinedTile& tile, const at::Tensor& log_sum) {
  const at::Tensor others = (1 - (tile.plain - log_sum).exp().sum(0)).clamp_min(0);
  return others + (tile.refined - log_sum).exp().sum(0);
}

std::vector<int64_t> winning_rows(const BestClass& best) {
  std::vector<bool> wins;
  for (const uint16_t label : best.labels) {
    if (label >= wins.size()) wins.resize(label + 1);
    wins[label] = true;
  }
  std::vector<int64_t> rows;
  for (size_t r = 0; r < wins.size(); ++r) {
    if (wins[r]) rows.push_back(static_cast<int64_t>(r));
  }
  return rows;
}

std::vector<at::Tensor> maps_of_rows(std::span<const BlendView> views, const ScoreRule& rule,
                                     const std::vector<int64_t>& rows) {
  std::vector<at::Tensor> of_views;
  for (const BlendView& view : views) {
    std::vector<at::Tensor> maps;
    for (const int64_t r : rows) {
      maps.push_back(blend_map(std::span(&view, 1), rule, view.layout.resized, r).cpu());
    }
    of_views.push_back(at::stack(maps));
  }
  return of_views;
}

void refine(std::span<const BlendView> views, const ScoreRule& rule, const Image& photo,
            Refine method, const std::vector<bool>& competes, BestClass& best) {
  const std::vector<int64_t> winners = winning_rows(best);
  if (winners.size() < 2 && competes.empty()) return;
  std::vector<int64_t> rows = winners;
  for (size_t r = 0; r < competes.size(); ++r) {
    if (competes[r]) rows.push_back(static_cast<int64_t>(r));
  }
  std::ranges::sort(rows);
  rows.erase(std::ranges::unique(rows).begin(), rows.end());
  std::vector<int64_t> place(rows.back() + 1);                      // of a row among these
  at::Tensor out = at::zeros({std::ssize(rows), 1, 1}, at::kBool);  // rows that may not win
  for (size_t i = 0; i < rows.size(); ++i) {
    place[rows[i]] = static_cast<int64_t>(i);
    if (!competes.empty()) out[static_cast<int64_t>(i)].fill_(!competes[rows[i]]);
  }
  const bool softmax = rule.activation == ScoreActivation::kSoftmax;

  refine_maps(maps_of_rows(views, rule, rows), photo, method, [&](const RefinedTile& tile) {
    const CropBox& box = tile.box;
    const auto at_pixel = [&](int64_t y) { return (box.y + y) * photo.width + box.x; };
    auto [scores, best_rows] =  // [height, width]
        tile.refined.masked_fill(out, -std::numeric_limits<double>::infinity()).max(0);
    if (softmax) {
      // log(sum of all rows) from the best row's old score: z - log p.
      at::Tensor old = at::empty({box.height, box.width}, at::kLong);
      at::Tensor old_scores = at::empty({box.height, box.width});
      for (int64_t y = 0; y < box.height; ++y) {
        const size_t begin = at_pixel(y);
        for (int64_t x = 0; x < box.width; ++x) {
          old.mutable_data_ptr<int64_t>()[y * box.width + x] = place[best.labels[begin + x]];
          old_scores.mutable_data_ptr<float>()[y * box.width + x] = best.scores[begin + x];
        }
      }
      const at::Tensor log_sum =
          tile.plain.gather(0, old.unsqueeze(0)) - old_scores.clamp_min(1e-30).log();  // [1, h, w]
      const at::Tensor sum = growth_of_sum(tile, log_sum);
      scores = (scores - log_sum[0]).exp() / sum;
    }
    scores = scores.contiguous();
    best_rows = best_rows.contiguous();
    for (int64_t y = 0; y < box.height; ++y) {
      const size_t begin = at_pixel(y);
      for (int64_t x = 0; x < box.width; ++x) {
        const int64_t i = y * box.width + x;
        best.labels[begin + x] =
            static_cast<uint16_t>(rows[best_rows.const_data_ptr<int64_t>()[i]]);
        best.scores[begin + x] = scores.const_data_ptr<float>()[i];
      }
    }
  });
}

}  // namespace tagclip
