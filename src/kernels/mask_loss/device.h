#pragma once

#include <cstdint>

#include "kernels/common/footprint.h"
#include "kernels/common/thread_block.h"
#include "kernels/mask_loss/pixel.h"

namespace tagclip {

// The GPU's way to the sums of mask_loss.h. A map is cut into tiles of logits, a block each; a
// thread has the pixels that lie in one logit, and pulls by them at that logit and the eight around
// it. So a tile knows gradients of its own logits and of a rim around them, and what neighbouring
// tiles know is added up at the end, always in the same order. Three kernels after each other:
//
//   count_targets   labels -> pixels of each class
//   sum_tile        logits, labels -> sums and gradients of each tile
//   add_tiles       those -> sums and gradients of each map

inline constexpr int kMaskThreads = 256;  // of a block; the most logits a tile may have
inline constexpr int kMaskSums = 3;       // focal, intersection, prediction
inline constexpr int kAround = 9;         // a logit and those around it, row by row
inline constexpr int kRun = 16;           // pixels a thread of count_targets looks at

// Label: int64_t, the target of map c being the pixels of label c; or int8_t with one map a photo:
// 1 target, below 0 not counted.
template <typename Label>
struct MaskTask {
  int photos, classes;
  Stretch rows, columns;  // logits -> pixels
  int tile_height, tile_width;
  int tiles_down, tiles_across;
  bool all_maps;        // not only those with a target have intersection and prediction
  const float* logits;  // [B, C, h, w]
  const Label* labels;  // [B, H, W]

  int* counts;            // [B, C], zeros before
  float* tile_sums;       // [kMaskSums, B C, tiles]
  float* tile_gradients;  // [kMaskSums, B C, tiles, tile_height + 2, tile_width + 2]
  float* sums;            // [kMaskSums, B C]
  float* gradients;       // [kMaskSums, B C, h, w]

  TAGCLIP_HOST_DEVICE int64_t maps() const { return int64_t{photos} * classes; }
  TAGCLIP_HOST_DEVICE int64_t pixels() const { return int64_t{rows.outputs} * columns.outputs; }
  TAGCLIP_HOST_DEVICE int64_t map_size() const { return int64_t{rows.inputs} * columns.inputs; }
  TAGCLIP_HOST_DEVICE int tiles() const { return tiles_down * tiles_across; }
  TAGCLIP_HOST_DEVICE int64_t runs() const { return (pixels() + kRun - 1) / kRun; }
  // How many of the sums a map has: what has no target has the focal one alone.
  TAGCLIP_HOST_DEVICE int sums_of(int64_t map) const {
    return all_maps || counts[map] > 0 ? kMaskSums : 1;
  }
  TAGCLIP_HOST_DEVICE float* rim_of(int sum, int64_t map, int tile) const {
    const int64_t size = int64_t{tile_height + 2} * (tile_width + 2);
    return tile_gradients + ((sum * maps() + map) * tiles() + tile) * size;
  }
};

// The map whose target a pixel is; -1: none.
TAGCLIP_HOST_DEVICE inline int64_t map_of(int64_t label, int classes) {
  return label >= 0 && label < classes ? label : -1;
}
TAGCLIP_HOST_DEVICE inline int64_t map_of(int8_t target, int /*classes*/) {
  return target == 1 ? 0 : -1;
}

TAGCLIP_HOST_DEVICE inline PixelKind kind_of(int64_t label, int64_t map) {
  return label == map ? PixelKind::kTarget : PixelKind::kBackground;
}
TAGCLIP_HOST_DEVICE inline PixelKind kind_of(int8_t target, int64_t /*map*/) {
  if (target < 0) return PixelKind::kUncounted;
  return target == 1 ? PixelKind::kTarget : PixelKind::kBackground;
}

// Thread `index` of B x runs(): a few pixels beside each other, mostly of one class.
template <typename Label>
TAGCLIP_HOST_DEVICE void count_targets(const MaskTask<Label>& task, int64_t index) {
  const int64_t photo = index / task.runs(), begin = index % task.runs() * kRun;
  const int64_t end = begin + kRun < task.pixels() ? begin + kRun : task.pixels();
  const Label* labels = task.labels + photo * task.pixels();
  int* counts = task.counts + photo * task.classes;
  for (int64_t i = begin; i < end;) {
    const Label label = labels[i];
    const int64_t first = i;
    while (i < end && labels[i] == label) ++i;
    const int64_t map = map_of(label, task.classes);
    if (map >= 0) add_shared(counts + map, static_cast<int>(i - first));
  }
}

// The sums of pixels that share four corners, and of what their slopes are at each.
template <int kSums>
struct CornerSums {
  float sum[kSums] = {};
  float all[kSums] = {}, right[kSums] = {}, below[kSums] = {}, both[kSums] = {};  // moments
};

// A logit, its pixels, and where what comes of them goes to.
template <typename Label>
struct LogitWork {
  const MaskTask<Label>& task;
  int64_t map;
  int row, column;
};

template <typename Label>
TAGCLIP_HOST_DEVICE void add_pixel(const LogitWork<Label>& /*work*/, float logit, int64_t /*pixel*/,
                                   float (&sum)[1], float (&slope)[1]) {
  const Focal f = focal_of(sigmoid_terms(logit));
  sum[0] += kAlphaBackground * f.loss;
  slope[0] = kAlphaBackground * f.slope;
}

template <typename Label>
TAGCLIP_HOST_DEVICE void add_pixel(const LogitWork<Label>& work, float logit, int64_t pixel,
                                   float (&sum)[kMaskSums], float (&slope)[kMaskSums]) {
  const MaskTask<Label>& task = work.task;
  const Label label = task.labels[work.map / task.classes * task.pixels() + pixel];
  const PixelShare share = share_of(logit, kind_of(label, work.map % task.classes));
  sum[0] += share.focal;
  sum[1] += share.intersection;
  sum[2] += share.prediction;
  slope[0] = share.focal_slope;
  slope[1] = share.intersection_slope;
  slope[2] = share.prediction_slope;
}

// The pixels of a quarter of a logit: its upper or lower, left or right half.
template <int kSums, typename Label>
TAGCLIP_HOST_DEVICE CornerSums<kSums> sum_quarter(const LogitWork<Label>& work,
                                                  const HalfFootprint& down,
                                                  const HalfFootprint& across) {
  const MaskTask<Label>& task = work.task;
  const int width = task.columns.inputs;
  const float* upper = task.logits + work.map * task.map_size() + int64_t{down.low} * width;
  const float* lower = upper + int64_t{down.high - down.low} * width;
  const float a = upper[across.low], b = upper[across.high];
  const float a_drop = lower[across.low] - a, b_drop = lower[across.high] - b;
  CornerSums<kSums> corners;
  for (int y = down.begin; y < down.end; ++y) {
    const float below = down.fraction(task.rows, y);
    const float left = a + below * a_drop, step = b + below * b_drop - left;
    float sum[kSums] = {}, all[kSums] = {}, right[kSums] = {};  // of the row
    for (int x = across.begin; x < across.end; ++x) {
      const float fraction = across.fraction(task.columns, x);
      float slope[kSums];
      add_pixel(work, left + fraction * step, int64_t{y} * task.columns.outputs + x, sum, slope);
      for (int s = 0; s < kSums; ++s) {
        all[s] += slope[s];
        right[s] += fraction * slope[s];
      }
    }
    for (int s = 0; s < kSums; ++s) {
      corners.sum[s] += sum[s];
      corners.all[s] += all[s];
      corners.right[s] += right[s];
      corners.below[s] += below * all[s];
      corners.both[s] += below * right[s];
    }
  }
  return corners;
}

// What a block of sum_tile shares.
struct MaskTile {
  float pulls[kMaskSums][kAround][kMaskThreads];  // by the thread that pulls
  float sums[kMaskSums][kMaskThreads];
};

// First phase, for one thread: the pixels of its logit.
template <int kSums, typename Label>
TAGCLIP_HOST_DEVICE void sum_logit(const LogitWork<Label>& work, int thread, MaskTile& shared) {
  for (int half_down = 0; half_down < 2; ++half_down) {
    const HalfFootprint down = half_footprint(work.task.rows, work.row, half_down);
    for (int half_across = 0; half_across < 2; ++half_across) {
      const HalfFootprint across = half_footprint(work.task.columns, work.column, half_across);
      const CornerSums<kSums> corners = sum_quarter<kSums>(work, down, across);
      const int upper = 3 * (down.low - work.row + 1), lower = 3 * (down.high - work.row + 1);
      const int left = across.low - work.column + 1, right = across.high - work.column + 1;
      for (int s = 0; s < kSums; ++s) {
        const float both = corners.both[s], to_right = corners.right[s] - both;
        const float below = corners.below[s] - both;
        shared.sums[s][thread] += corners.sum[s];
        shared.pulls[s][upper + left][thread] += corners.all[s] - to_right - below - both;
        shared.pulls[s][upper + right][thread] += to_right;
        shared.pulls[s][lower + left][thread] += below;
        shared.pulls[s][lower + right][thread] += both;
      }
    }
  }
}

// Which logits a tile has.
struct TileFrame {
  int top, left, height, width;
};

template <typename Label>
TAGCLIP_HOST_DEVICE TileFrame frame_of(const MaskTask<Label>& task, int tile) {
  const int top = tile / task.tiles_across * task.tile_height;
  const int left = tile % task.tiles_across * task.tile_width;
  const int height = task.rows.inputs - top, width = task.columns.inputs - left;
  return {top, left, height < task.tile_height ? height : task.tile_height,
          width < task.tile_width ? width : task.tile_width};
}

// How all threads of a tile pull at one place of it or its rim, counted from the rim's corner.
TAGCLIP_HOST_DEVICE inline float pull_at(const float (&pulls)[kAround][kMaskThreads],
                                         const TileFrame& frame, int row, int column) {
  float sum = 0;
  for (int n = 0; n < kAround; ++n) {
    const int y = row - n / 3, x = column - n % 3;  // of the thread whose neighbour n it is
    if (y < 0 || y >= frame.height || x < 0 || x >= frame.width) continue;
    sum += pulls[n][y * frame.width + x];
  }
  return sum;
}

// A block of kMaskThreads, one for each tile of each map.
template <typename Label, typename Block>
TAGCLIP_HOST_DEVICE void sum_tile(const Block& block, const MaskTask<Label>& task, int64_t index,
                                  MaskTile& shared) {
  const int64_t map = index / task.tiles();
  const auto tile = static_cast<int>(index % task.tiles());
  const TileFrame frame = frame_of(task, tile);
  const int sums = task.sums_of(map);
  block.each_thread([&](int thread) {
    for (int s = 0; s < sums; ++s) {
      shared.sums[s][thread] = 0;
      for (int n = 0; n < kAround; ++n) shared.pulls[s][n][thread] = 0;
    }
    if (thread >= frame.height * frame.width) return;
    const LogitWork<Label> work{task, map, frame.top + thread / frame.width,
                                frame.left + thread % frame.width};
    if (sums == 1) {
      sum_logit<1>(work, thread, shared);
    } else {
      sum_logit<kMaskSums>(work, thread, shared);
    }
  });
  block.each_thread([&](int thread) {
    const int width = frame.width + 2, places = (frame.height + 2) * width;
    for (int i = thread; i < places; i += kMaskThreads) {
      const int row = i / width, column = i % width;
      for (int s = 0; s < sums; ++s) {
        task.rim_of(s, map, tile)[row * (task.tile_width + 2) + column] =
            pull_at(shared.pulls[s], frame, row, column);
      }
    }
  });
  for (int half = kMaskThreads / 2; half > 0; half /= 2) {
    block.each_thread([&](int thread) {
      if (thread >= half) return;
      for (int s = 0; s < sums; ++s) shared.sums[s][thread] += shared.sums[s][thread + half];
    });
  }
  block.each_thread([&](int thread) {
    if (thread >= sums) return;
    task.tile_sums[(thread * task.maps() + map) * task.tiles() + tile] = shared.sums[thread][0];
  });
}

// What all tiles know of the gradient of one logit.
template <typename Label>
TAGCLIP_HOST_DEVICE float gradient_of(const MaskTask<Label>& task, int sum, int64_t map, int row,
                                      int column) {
  const auto previous = [](int i) { return i > 0 ? i - 1 : 0; };
  const auto next = [](int i, int count) { return i + 1 < count ? i + 1 : i; };
  const int last_down = next(row, task.rows.inputs) / task.tile_height;
  const int last_across = next(column, task.columns.inputs) / task.tile_width;
  float gradient = 0;
  for (int down = previous(row) / task.tile_height; down <= last_down; ++down) {
    for (int across = previous(column) / task.tile_width; across <= last_across; ++across) {
      const int y = row - down * task.tile_height + 1, x = column - across * task.tile_width + 1;
      gradient +=
          task.rim_of(sum, map, down * task.tiles_across + across)[y * (task.tile_width + 2) + x];
    }
  }
  return gradient;
}

// Thread `index` of B x C x h x w, one for each logit; the first of a map has its sums, too.
template <typename Label>
TAGCLIP_HOST_DEVICE void add_tiles(const MaskTask<Label>& task, int64_t index) {
  const int64_t map = index / task.map_size();
  const auto logit = static_cast<int>(index % task.map_size());
  const int sums = task.sums_of(map), width = task.columns.inputs;
  for (int s = 0; s < kMaskSums; ++s) {
    task.gradients[s * task.maps() * task.map_size() + index] =
        s < sums ? gradient_of(task, s, map, logit / width, logit % width) : 0;
    if (logit > 0) continue;
    double sum = 0;
    const float* parts = task.tile_sums + (s * task.maps() + map) * task.tiles();
    for (int tile = 0; s < sums && tile < task.tiles(); ++tile) sum += parts[tile];
    task.sums[s * task.maps() + map] = static_cast<float>(sum);
  }
}

}  // namespace tagclip
