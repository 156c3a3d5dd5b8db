#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "kernels/blend/taper.h"
#include "kernels/common/bilinear.h"
#include "kernels/common/device.h"
#include "kernels/common/fast_math.h"

namespace tagclip {

// `blend` on a GPU. The image is cut into tiles, one block of threads each, one pixel per thread.
// The block takes kBlendClasses classes at a time and computes their blended scores at the
// positions of the resized image that the tile's pixels lie between, into shared memory; then every
// thread interpolates the scores of its pixel and keeps the best one.

inline constexpr int kBlendHeight = 8, kBlendWidth = 32;  // of a tile
inline constexpr int kBlendThreads = kBlendHeight * kBlendWidth;
inline constexpr int kBlendClasses = 8;
// A tile's pixels lie between at most two rows and two columns of the resized image each.
inline constexpr int kBlendPositions = 2 * kBlendHeight * 2 * kBlendWidth;

// TrustyWeight, for device code.
inline constexpr uint8_t kWeighSeen = 1, kWeighNovel = 2;

struct BlendParams {
  int windows, classes;
  BilinearScale rows, columns;              // logits -> window
  BilinearScale image_rows, image_columns;  // resized image -> image
  bool softmax, trusty_means_seen, tapered;
  const int32_t* corners;  // [K, 2]: top, left
  const float* logits;     // [K, C, h, w]
  const float* trusty;     // [K, h, w]; nullptr: scores are not weighted
  const float* presence;   // [K, C], probabilities; nullptr: 1
  const float* seen_bias;  // [C]
  const uint8_t* weight;   // [C]

  uint16_t* labels;  // [H, W]
  float* scores;     // [H, W]

  TAGCLIP_HOST_DEVICE int tiles_across() const {
    return (image_columns.outputs + kBlendWidth - 1) / kBlendWidth;
  }
  TAGCLIP_HOST_DEVICE int tiles_down() const {
    return (image_rows.outputs + kBlendHeight - 1) / kBlendHeight;
  }
  TAGCLIP_HOST_DEVICE int64_t map_size() const { return int64_t{rows.inputs} * columns.inputs; }
};

// The rows (or columns) of the resized image that the rows of a tile read, numbered from 0: all
// from the first to the last, or, where the image is smaller than the resized one and skips many,
// two per row of the tile.
class SourceLines {
 public:
  // The tile has outputs begin .. begin + most - 1 of `axis`, as far as they exist.
  TAGCLIP_HOST_DEVICE SourceLines(const BilinearScale& axis, int begin, int most)
      : axis_(axis), begin_(begin) {
    const int end = begin + most < axis.outputs ? begin + most : axis.outputs;
    first_ = axis.sample(begin).low;
    const int range = axis.sample(end - 1).high - first_ + 1;
    contiguous_ = range <= 2 * (end - begin);
    count_ = contiguous_ ? range : 2 * (end - begin);
  }

  TAGCLIP_HOST_DEVICE int count() const { return count_; }
  // The line of the resized image with this number.
  TAGCLIP_HOST_DEVICE int line(int number) const {
    if (contiguous_) return first_ + number;
    const BilinearSample sample = axis_.sample(begin_ + number / 2);
    return number % 2 == 0 ? sample.low : sample.high;
  }
  // The two lines that output i reads, by their numbers, and their weights.
  TAGCLIP_HOST_DEVICE BilinearSample sample(int i) const {
    const BilinearSample sample = axis_.sample(i);
    if (contiguous_) return {sample.low - first_, sample.high - first_, sample.fraction};
    return {2 * (i - begin_), 2 * (i - begin_) + 1, sample.fraction};
  }

 private:
  BilinearScale axis_;
  int begin_, first_, count_;
  bool contiguous_;
};

// Interpolates map [., width] at one position.
TAGCLIP_HOST_DEVICE inline float interpolate(const float* map, int width,
                                             const BilinearSample& down,
                                             const BilinearSample& across) {
  const float *upper = map + int64_t{down.low} * width, *lower = map + int64_t{down.high} * width;
  const float left = upper[across.low] + down.fraction * (lower[across.low] - upper[across.low]);
  const float right =
      upper[across.high] + down.fraction * (lower[across.high] - upper[across.high]);
  return left + across.fraction * (right - left);
}

// Adds the scores of window k for classes first, first + 1, ... at one position of the window,
// times the weight that the window has there.
TAGCLIP_HOST_DEVICE inline void add_window(const BlendParams& params, int k,
                                           const BilinearSample& down, const BilinearSample& across,
                                           float counts, int first, float (&sums)[kBlendClasses]) {
  const int width = params.columns.inputs;
  float seen = 1, novel = 1;
  if (params.trusty != nullptr) {
    const float* map = params.trusty + k * params.map_size();
    const float trusty = fast_sigmoid(interpolate(map, width, down, across));
    novel = params.trusty_means_seen ? 1 - trusty : trusty;
    seen = 1 - novel;
  }
  const float* maps = params.logits + (int64_t{k} * params.classes + first) * params.map_size();
  for (int i = 0; i < kBlendClasses; ++i) {
    const int c = first + i;
    if (c >= params.classes) continue;
    const float logit = interpolate(maps + i * params.map_size(), width, down, across);
    if (params.softmax) {
      sums[i] += counts * logit;
      continue;
    }
    const float presence =
        params.presence == nullptr ? 1 : params.presence[int64_t{k} * params.classes + c];
    const uint8_t weight = params.weight[c];
    const float trust = weight == kWeighSeen ? seen : weight == kWeighNovel ? novel : 1;
    sums[i] += counts * (presence * fast_sigmoid(logit) - params.seen_bias[c]) * trust;
  }
}

// The blended scores of classes first, first + 1, ... at pixel (y, x) of the resized image.
TAGCLIP_HOST_DEVICE inline void blend_position(const BlendParams& params, int y, int x, int first,
                                               float (&scores)[kBlendClasses]) {
  float covering = 0;
  for (float& score : scores) score = 0;
  for (int k = 0; k < params.windows; ++k) {
    const int row = y - params.corners[int64_t{2} * k];
    const int column = x - params.corners[int64_t{2} * k + 1];
    if (row < 0 || row >= params.rows.outputs || column < 0 || column >= params.columns.outputs) {
      continue;
    }
    const float counts =
        params.tapered ? taper(row, params.rows.outputs) * taper(column, params.columns.outputs)
                       : 1;
    covering += counts;
    add_window(params, k, params.rows.sample(row), params.columns.sample(column), counts, first,
               scores);
  }
  const float share = 1 / covering;
  for (float& score : scores) score *= share;
}

// The best class of a pixel among those seen so far.
struct BestSoFar {
  float score = -std::numeric_limits<float>::infinity();
  int label = 0;
  float exponentials = 0;  // sum over the classes of exp(their score - the best score)

  TAGCLIP_HOST_DEVICE void update(float other, int its_label, bool softmax) {
    const bool better = other > score;
    if (softmax) {
      exponentials = better ? exponentials * fast_exp(score - other) + 1
                            : exponentials + fast_exp(other - score);
    }
    if (!better) return;
    score = other;
    label = its_label;
  }

  TAGCLIP_HOST_DEVICE float probability() const {
    return std::isfinite(score) ? 1 / exponentials : score;
  }
};

// The shared memory of a block.
struct BlendShared {
  float scores[kBlendClasses][kBlendPositions];
};

// The kernel: a block of kBlendThreads for each tile of the image.
template <typename Block>
TAGCLIP_HOST_DEVICE void blend_tile(const Block& block, const BlendParams& params, int tile,
                                    BlendShared& shared) {
  const int top = tile / params.tiles_across() * kBlendHeight;
  const int left = tile % params.tiles_across() * kBlendWidth;
  const SourceLines rows(params.image_rows, top, kBlendHeight);
  const SourceLines columns(params.image_columns, left, kBlendWidth);
  const int width = columns.count(), positions = rows.count() * width;
  typename Block::template PerThread<BestSoFar> best(block);
  const auto inside = [&](int y, int x) {
    return y < params.image_rows.outputs && x < params.image_columns.outputs;
  };

  for (int first = 0; first < params.classes; first += kBlendClasses) {
    block.for_each_thread([&](int thread) {
      for (int i = thread; i < positions; i += kBlendThreads) {
        float scores[kBlendClasses];
        blend_position(params, rows.line(i / width), columns.line(i % width), first, scores);
        for (int c = 0; c < kBlendClasses; ++c) shared.scores[c][i] = scores[c];
      }
    });
    block.for_each_thread([&](int thread) {
      const int y = top + thread / kBlendWidth, x = left + thread % kBlendWidth;
      if (!inside(y, x)) return;
      const BilinearSample down = rows.sample(y), across = columns.sample(x);
      for (int c = 0; c < kBlendClasses && first + c < params.classes; ++c) {
        const float score = interpolate(shared.scores[c], width, down, across);
        best[thread].update(score, first + c, params.softmax);
      }
    });
  }
  block.for_each_thread([&](int thread) {
    const int y = top + thread / kBlendWidth, x = left + thread % kBlendWidth;
    if (!inside(y, x)) return;
    const int64_t pixel = int64_t{y} * params.image_columns.outputs + x;
    params.labels[pixel] = static_cast<uint16_t>(best[thread].label);
    params.scores[pixel] = params.softmax ? best[thread].probability() : best[thread].score;
  });
}

// Launches the kernel on `stream`: device.cu, only in builds with CUDA.
void launch_blend(const BlendParams& params, CUstream_st* stream);

}  // namespace tagclip
