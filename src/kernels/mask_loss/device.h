#pragma once

#include <cstdint>

#include "kernels/common/bilinear.h"
#include "kernels/common/device.h"
#include "kernels/mask_loss/pixel.h"

namespace tagclip {

// The sums of mask_loss.h and their gradients on a GPU. A map is cut into tiles of logits, one
// block of threads each, one thread per logit. A thread visits the pixels that lie in its logit and
// accumulates their gradients into that logit and its 8 neighbours. A tile therefore has gradients
// of its own logits and of a halo of one around it; the halos of neighbouring tiles are added at
// the end, always in the same order, so results repeat to the bit. Three kernels:
//
//   count_targets   labels -> pixels of each target
//   sum_tile        logits, labels -> sums and gradients per tile
//   reduce_tiles    those -> sums and gradients per map

inline constexpr int kMaskThreads = 256;      // per block: the most logits a tile may have
inline constexpr int kMaskSums = 3;           // focal, intersection, prediction
inline constexpr int kNeighbours = 9;         // a logit and its 8 neighbours, row by row
inline constexpr int kCountedPerThread = 16;  // pixels that a thread of count_targets reads

// Label is int64_t, where the target of map c are the pixels with label c, or int8_t with one map
// per image: 1 target, 0 background, below 0 ignored.
template <typename Label>
struct MaskLossParams {
  int images, classes;
  BilinearScale rows, columns;  // logits -> pixels
  int tile_height, tile_width;  // logits
  int tiles_down, tiles_across;
  bool all_maps;        // maps without a target have `intersection` and `prediction`, too
  const float* logits;  // [B, C, h, w]
  const Label* labels;  // [B, H, W]

  int* counts;            // [B, C], zeros before
  float* tile_sums;       // [kMaskSums, B C, tiles]
  float* tile_gradients;  // [kMaskSums, B C, tiles, tile_height + 2, tile_width + 2]: with halo
  float* sums;            // [kMaskSums, B C]
  float* gradients;       // [kMaskSums, B C, h, w]

  TAGCLIP_HOST_DEVICE int64_t maps() const { return int64_t{images} * classes; }
  TAGCLIP_HOST_DEVICE int64_t pixels() const { return int64_t{rows.outputs} * columns.outputs; }
  TAGCLIP_HOST_DEVICE int64_t map_size() const { return int64_t{rows.inputs} * columns.inputs; }
  TAGCLIP_HOST_DEVICE int tiles() const { return tiles_down * tiles_across; }
  // Returns how many threads of count_targets work on an image.
  TAGCLIP_HOST_DEVICE int64_t counting_threads() const {
    return (pixels() + kCountedPerThread - 1) / kCountedPerThread;
  }
  // Returns the number of sums of a map: without a target only the focal one.
  TAGCLIP_HOST_DEVICE int sums_of(int64_t map) const {
    return all_maps || counts[map] > 0 ? kMaskSums : 1;
  }
  // Returns a tile's gradients with their halo.
  TAGCLIP_HOST_DEVICE float* tile_gradient(int sum, int64_t map, int tile) const {
    const int64_t size = int64_t{tile_height + 2} * (tile_width + 2);
    return tile_gradients + ((sum * maps() + map) * tiles() + tile) * size;
  }
};

// Returns the map whose target the pixel is, or -1.
TAGCLIP_HOST_DEVICE inline int64_t target_map(int64_t label, int classes) {
  return label >= 0 && label < classes ? label : -1;
}
TAGCLIP_HOST_DEVICE inline int64_t target_map(int8_t target, int /*classes*/) {
  return target == 1 ? 0 : -1;
}

TAGCLIP_HOST_DEVICE inline PixelKind kind_of(int64_t label, int64_t map) {
  return label == map ? PixelKind::kTarget : PixelKind::kBackground;
}
TAGCLIP_HOST_DEVICE inline PixelKind kind_of(int8_t target, int64_t /*map*/) {
  if (target < 0) return PixelKind::kIgnored;
  return target == 1 ? PixelKind::kTarget : PixelKind::kBackground;
}

// Counts the pixels of each target, as thread `index` of B x counting_threads(). Neighbouring
// pixels mostly have the same label, so one atomic addition serves several of them.
template <typename Label>
TAGCLIP_HOST_DEVICE void count_targets(const MaskLossParams<Label>& params, int64_t index) {
  const int64_t image = index / params.counting_threads();
  const int64_t begin = index % params.counting_threads() * kCountedPerThread;
  const int64_t end =
      begin + kCountedPerThread < params.pixels() ? begin + kCountedPerThread : params.pixels();
  const Label* labels = params.labels + image * params.pixels();
  int* counts = params.counts + image * params.classes;
  for (int64_t i = begin; i < end;) {
    const Label label = labels[i];
    const int64_t first = i;
    while (i < end && labels[i] == label) ++i;
    const int64_t map = target_map(label, params.classes);
    if (map >= 0) atomic_add(counts + map, static_cast<int>(i - first));
  }
}

// The sums of pixels that share four corners, and the moments of their slopes from which the
// gradients at the corners follow: sums of slope, of slope x, of slope y and of slope x y, with
// (x, y) in [0, 1] the position between the corners.
template <int kSums>
struct CornerSums {
  float sum[kSums] = {};
  float slope[kSums] = {}, slope_x[kSums] = {}, slope_y[kSums] = {}, slope_xy[kSums] = {};
};

template <typename Label>
struct LogitPosition {
  const MaskLossParams<Label>& params;
  int64_t map;
  int row, column;
};

// Adds a pixel with this interpolated logit to `sum` and sets `slope`. For background maps.
template <typename Label>
TAGCLIP_HOST_DEVICE void add_pixel(const LogitPosition<Label>& /*at*/, float logit,
                                   int64_t /*pixel*/, float (&sum)[1], float (&slope)[1]) {
  const Focal f = focal_of(sigmoid_terms(logit));
  sum[0] += kAlphaBackground * f.loss;
  slope[0] = kAlphaBackground * f.slope;
}

// Adds the pixel to all sums.
template <typename Label>
TAGCLIP_HOST_DEVICE void add_pixel(const LogitPosition<Label>& at, float logit, int64_t pixel,
                                   float (&sum)[kMaskSums], float (&slope)[kMaskSums]) {
  const MaskLossParams<Label>& params = at.params;
  const Label label = params.labels[at.map / params.classes * params.pixels() + pixel];
  const PixelTerms terms = pixel_terms(logit, kind_of(label, at.map % params.classes));
  sum[0] += terms.focal;
  sum[1] += terms.intersection;
  sum[2] += terms.prediction;
  slope[0] = terms.focal_slope;
  slope[1] = terms.intersection_slope;
  slope[2] = terms.prediction_slope;
}

// Sums over the pixels of a quarter of a logit: one half of its support down, one across.
template <int kSums, typename Label>
TAGCLIP_HOST_DEVICE CornerSums<kSums> sum_quarter(const LogitPosition<Label>& at,
                                                  const HalfSupport& down,
                                                  const HalfSupport& across) {
  const MaskLossParams<Label>& params = at.params;
  const int width = params.columns.inputs;
  const float* upper = params.logits + at.map * params.map_size() + int64_t{down.low} * width;
  const float* lower = upper + int64_t{down.high - down.low} * width;
  const float a = upper[across.low], b = upper[across.high];
  const float a_drop = lower[across.low] - a, b_drop = lower[across.high] - b;
  CornerSums<kSums> corners;
  for (int row = down.begin; row < down.end; ++row) {
    const float y = down.fraction(params.rows, row);
    const float left = a + y * a_drop, step = b + y * b_drop - left;
    float sum[kSums] = {}, row_slope[kSums] = {}, row_slope_x[kSums] = {};
    for (int column = across.begin; column < across.end; ++column) {
      const float x = across.fraction(params.columns, column);
      float slope[kSums];
      add_pixel(at, left + x * step, int64_t{row} * params.columns.outputs + column, sum, slope);
      for (int s = 0; s < kSums; ++s) {
        row_slope[s] += slope[s];
        row_slope_x[s] += x * slope[s];
      }
    }
    for (int s = 0; s < kSums; ++s) {
      corners.sum[s] += sum[s];
      corners.slope[s] += row_slope[s];
      corners.slope_x[s] += row_slope_x[s];
      corners.slope_y[s] += y * row_slope[s];
      corners.slope_xy[s] += y * row_slope_x[s];
    }
  }
  return corners;
}

// The shared memory of a block of sum_tile.
struct MaskLossShared {
  float contributions[kMaskSums][kNeighbours][kMaskThreads];  // of each thread to its neighbours
  float sums[kMaskSums][kMaskThreads];
};

// Computes the first phase for one thread: the sums over the pixels of its logit.
template <int kSums, typename Label>
TAGCLIP_HOST_DEVICE void sum_logit(const LogitPosition<Label>& at, int thread,
                                   MaskLossShared& shared) {
  for (int half_down = 0; half_down < 2; ++half_down) {
    const HalfSupport down = half_support(at.params.rows, at.row, half_down);
    for (int half_across = 0; half_across < 2; ++half_across) {
      const HalfSupport across = half_support(at.params.columns, at.column, half_across);
      const CornerSums<kSums> corners = sum_quarter<kSums>(at, down, across);
      // The corners are neighbours of this logit: these are their rows and columns in the 3 x 3.
      const int upper = 3 * (down.low - at.row + 1), lower = 3 * (down.high - at.row + 1);
      const int left = across.low - at.column + 1, right = across.high - at.column + 1;
      for (int s = 0; s < kSums; ++s) {
        const float lower_right = corners.slope_xy[s];
        const float upper_right = corners.slope_x[s] - lower_right;
        const float lower_left = corners.slope_y[s] - lower_right;
        auto& contributions = shared.contributions[s];
        shared.sums[s][thread] += corners.sum[s];
        contributions[upper + left][thread] +=
            corners.slope[s] - upper_right - lower_left - lower_right;
        contributions[upper + right][thread] += upper_right;
        contributions[lower + left][thread] += lower_left;
        contributions[lower + right][thread] += lower_right;
      }
    }
  }
}

// Says which logits a tile has.
struct TileFrame {
  int top, left, height, width;
};

template <typename Label>
TAGCLIP_HOST_DEVICE TileFrame frame_of(const MaskLossParams<Label>& params, int tile) {
  const int top = tile / params.tiles_across * params.tile_height;
  const int left = tile % params.tiles_across * params.tile_width;
  const int height = params.rows.inputs - top, width = params.columns.inputs - left;
  return {top, left, height < params.tile_height ? height : params.tile_height,
          width < params.tile_width ? width : params.tile_width};
}

// Returns the sum of all threads' contributions to one position of the tile with its halo; (0, 0)
// is the corner of the halo.
TAGCLIP_HOST_DEVICE inline float gather(const float (&contributions)[kNeighbours][kMaskThreads],
                                        const TileFrame& frame, int row, int column) {
  float sum = 0;
  for (int n = 0; n < kNeighbours; ++n) {
    const int y = row - n / 3, x = column - n % 3;  // of the thread whose neighbour n this is
    if (y < 0 || y >= frame.height || x < 0 || x >= frame.width) continue;
    sum += contributions[n][y * frame.width + x];
  }
  return sum;
}

// Sums one tile: a block of kMaskThreads runs it for each tile of each map.
template <typename Label, typename Block>
TAGCLIP_HOST_DEVICE void sum_tile(const Block& block, const MaskLossParams<Label>& params,
                                  int64_t index, MaskLossShared& shared) {
  const int64_t map = index / params.tiles();
  const auto tile = static_cast<int>(index % params.tiles());
  const TileFrame frame = frame_of(params, tile);
  const int sums = params.sums_of(map);
  block.for_each_thread([&](int thread) {
    for (int s = 0; s < sums; ++s) {
      shared.sums[s][thread] = 0;
      for (int n = 0; n < kNeighbours; ++n) shared.contributions[s][n][thread] = 0;
    }
    if (thread >= frame.height * frame.width) return;
    const LogitPosition<Label> at{params, map, frame.top + thread / frame.width,
                                  frame.left + thread % frame.width};
    if (sums == 1) {
      sum_logit<1>(at, thread, shared);
    } else {
      sum_logit<kMaskSums>(at, thread, shared);
    }
  });
  block.for_each_thread([&](int thread) {
    const int width = frame.width + 2, positions = (frame.height + 2) * width;
    for (int i = thread; i < positions; i += kMaskThreads) {
      const int row = i / width, column = i % width;
      for (int s = 0; s < sums; ++s) {
        params.tile_gradient(s, map, tile)[row * (params.tile_width + 2) + column] =
            gather(shared.contributions[s], frame, row, column);
      }
    }
  });
  for (int half = kMaskThreads / 2; half > 0; half /= 2) {
    block.for_each_thread([&](int thread) {
      if (thread >= half) return;
      for (int s = 0; s < sums; ++s) shared.sums[s][thread] += shared.sums[s][thread + half];
    });
  }
  block.for_each_thread([&](int thread) {
    if (thread >= sums) return;
    params.tile_sums[(thread * params.maps() + map) * params.tiles() + tile] =
        shared.sums[thread][0];
  });
}

// Returns the gradient of one logit: the sum over the tiles that have it or a neighbour of it.
template <typename Label>
TAGCLIP_HOST_DEVICE float gradient_of(const MaskLossParams<Label>& params, int sum, int64_t map,
                                      int row, int column) {
  const auto previous = [](int i) { return i > 0 ? i - 1 : 0; };
  const auto next = [](int i, int count) { return i + 1 < count ? i + 1 : i; };
  const int last_down = next(row, params.rows.inputs) / params.tile_height;
  const int last_across = next(column, params.columns.inputs) / params.tile_width;
  float gradient = 0;
  for (int down = previous(row) / params.tile_height; down <= last_down; ++down) {
    for (int across = previous(column) / params.tile_width; across <= last_across; ++across) {
      const int y = row - down * params.tile_height + 1;
      const int x = column - across * params.tile_width + 1;
      const int tile = down * params.tiles_across + across;
      gradient += params.tile_gradient(sum, map, tile)[y * (params.tile_width + 2) + x];
    }
  }
  return gradient;
}

// Sums the tiles' gradients at one logit, as thread `index` of B x C x h x w. The first thread of
// each map also adds up the sums of the map.
template <typename Label>
TAGCLIP_HOST_DEVICE void reduce_tiles(const MaskLossParams<Label>& params, int64_t index) {
  const int64_t map = index / params.map_size();
  const auto logit = static_cast<int>(index % params.map_size());
  const int sums = params.sums_of(map), width = params.columns.inputs;
  for (int s = 0; s < kMaskSums; ++s) {
    params.gradients[s * params.maps() * params.map_size() + index] =
        s < sums ? gradient_of(params, s, map, logit / width, logit % width) : 0;
    if (logit > 0) continue;
    double sum = 0;
    const float* parts = params.tile_sums + (s * params.maps() + map) * params.tiles();
    for (int tile = 0; s < sums && tile < params.tiles(); ++tile) sum += parts[tile];
    params.sums[s * params.maps() + map] = static_cast<float>(sum);
  }
}

// Launches the three kernels one after another on `stream`; in device.cu, in builds with CUDA.
void launch_mask_loss(const MaskLossParams<int64_t>& params, CUstream_st* stream);
void launch_mask_loss(const MaskLossParams<int8_t>& params, CUstream_st* stream);

}  // namespace tagclip
