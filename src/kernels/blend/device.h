#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "kernels/common/bilinear.h"
#include "kernels/common/fast_math.h"
#include "kernels/common/thread_block.h"

namespace tagclip {

// The GPU's way from windows' logits to the best class of every pixel: see blend.h. The photo is
// cut into tiles, a block each. A few classes at a time, the block computes their blended scores at
// the places of the picture that the tile's pixels lie between, then every pixel its own and
// whether it is the best so far.

inline constexpr int kBlendHeight = 8, kBlendWidth = 32;  // of a tile, a thread a pixel
inline constexpr int kBlendThreads = kBlendHeight * kBlendWidth;
inline constexpr int kBlendClasses = 8;  // at a time
// No pixel lies between more than two rows and two columns of the picture.
inline constexpr int kBlendPlaces = 2 * kBlendHeight * 2 * kBlendWidth;

// A bilinear resize along one axis.
struct Resize {
  int32_t inputs, outputs;
  float scale;

  TAGCLIP_HOST_DEVICE BilinearPlace operator()(int32_t i) const {
    return bilinear_place(inputs, scale, i);
  }
};

// TrustyWeight as numbers.
inline constexpr uint8_t kWeighSeen = 1, kWeighNovel = 2;

struct BlendTask {
  int windows, classes;
  Resize rows, columns;              // logits -> window
  Resize photo_rows, photo_columns;  // picture -> photo
  bool softmax, trusty_means_seen;
  const int32_t* corners;  // [K, 2]: top, left
  const float* logits;     // [K, C, h, w]
  const float* trusty;     // [K, h, w]; nullptr: no score is weighted
  const float* presence;   // [K, C], probabilities; nullptr: every class is taken for present
  const float* deduction;  // [C]
  const uint8_t* weight;   // [C]

  uint16_t* labels;  // [H, W]
  float* scores;     // [H, W]

  TAGCLIP_HOST_DEVICE int tiles_across() const {
    return (photo_columns.outputs + kBlendWidth - 1) / kBlendWidth;
  }
  TAGCLIP_HOST_DEVICE int tiles_down() const {
    return (photo_rows.outputs + kBlendHeight - 1) / kBlendHeight;
  }
  TAGCLIP_HOST_DEVICE int64_t map_size() const { return int64_t{rows.inputs} * columns.inputs; }
};

// The rows or columns of the picture that those of a tile lie between, numbered: all from the first
// to the last, or, where the photo leaves many out, two for each of the tile's.
class PictureLines {
 public:
  TAGCLIP_HOST_DEVICE PictureLines(const Resize& resize, int begin, int most)
      : resize_(resize), begin_(begin) {
    const int end = begin + most < resize.outputs ? begin + most : resize.outputs;
    first_ = resize(begin).low;
    const int from_first_to_last = resize(end - 1).high - first_ + 1;
    dense_ = from_first_to_last <= 2 * (end - begin);
    count_ = dense_ ? from_first_to_last : 2 * (end - begin);
  }

  TAGCLIP_HOST_DEVICE int count() const { return count_; }
  // The line of that number.
  TAGCLIP_HOST_DEVICE int line(int number) const {
    if (dense_) return first_ + number;
    const BilinearPlace place = resize_(begin_ + number / 2);
    return number % 2 == 0 ? place.low : place.high;
  }
  // Where row or column i of the photo lies, among the numbers.
  TAGCLIP_HOST_DEVICE BilinearPlace place(int i) const {
    const BilinearPlace place = resize_(i);
    if (dense_) return {place.low - first_, place.high - first_, place.fraction};
    return {2 * (i - begin_), 2 * (i - begin_) + 1, place.fraction};
  }

 private:
  Resize resize_;
  int begin_, first_, count_;
  bool dense_;
};

// map [., width], between four of its numbers.
TAGCLIP_HOST_DEVICE inline float interpolate(const float* map, int width, const BilinearPlace& down,
                                             const BilinearPlace& across) {
  const float *upper = map + int64_t{down.low} * width, *lower = map + int64_t{down.high} * width;
  const float left = upper[across.low] + down.fraction * (lower[across.low] - upper[across.low]);
  const float right =
      upper[across.high] + down.fraction * (lower[across.high] - upper[across.high]);
  return left + across.fraction * (right - left);
}

// Adds to `sums` what window k says about classes first, first + 1, ... at a place of it.
TAGCLIP_HOST_DEVICE inline void add_window(const BlendTask& task, int k, const BilinearPlace& down,
                                           const BilinearPlace& across, int first,
                                           float (&sums)[kBlendClasses]) {
  const int width = task.columns.inputs;
  float seen = 1, novel = 1;
  if (task.trusty != nullptr) {
    const float* map = task.trusty + k * task.map_size();
    const float trusty = fast_sigmoid(interpolate(map, width, down, across));
    novel = task.trusty_means_seen ? 1 - trusty : trusty;
    seen = 1 - novel;
  }
  const float* maps = task.logits + (int64_t{k} * task.classes + first) * task.map_size();
  for (int i = 0; i < kBlendClasses; ++i) {
    const int c = first + i;
    if (c >= task.classes) continue;
    const float logit = interpolate(maps + i * task.map_size(), width, down, across);
    if (task.softmax) {
      sums[i] += logit;
      continue;
    }
    const float presence =
        task.presence == nullptr ? 1 : task.presence[int64_t{k} * task.classes + c];
    const uint8_t weight = task.weight[c];
    sums[i] +=
        (presence * fast_sigmoid(logit) - task.deduction[c]) * (weight == kWeighSeen    ? seen
                                                                : weight == kWeighNovel ? novel
                                                                                        : 1);
  }
}

// Blended scores of classes first, first + 1, ... at a place of the picture.
TAGCLIP_HOST_DEVICE inline void blend_place(const BlendTask& task, int y, int x, int first,
                                            float (&scores)[kBlendClasses]) {
  int covering = 0;
  for (float& score : scores) score = 0;
  for (int k = 0; k < task.windows; ++k) {
    const int row = y - task.corners[int64_t{2} * k], column = x - task.corners[int64_t{2} * k + 1];
    if (row < 0 || row >= task.rows.outputs || column < 0 || column >= task.columns.outputs) {
      continue;
    }
    ++covering;
    add_window(task, k, task.rows(row), task.columns(column), first, scores);
  }
  const float share = 1 / static_cast<float>(covering);
  for (float& score : scores) score *= share;
}

// The best class of a pixel so far.
struct BestSoFar {
  float score = -std::numeric_limits<float>::infinity();
  int label = 0;
  float exponentials = 0;  // of all classes' scores, less the best one

  TAGCLIP_HOST_DEVICE void meet(float other, int its_label, bool softmax) {
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

// What a block shares.
struct BlendTile {
  float scores[kBlendClasses][kBlendPlaces];
};

// A block of kBlendThreads, one for each tile of the photo.
template <typename Block>
TAGCLIP_HOST_DEVICE void blend_tile(const Block& block, const BlendTask& task, int tile,
                                    BlendTile& shared) {
  const int top = tile / task.tiles_across() * kBlendHeight;
  const int left = tile % task.tiles_across() * kBlendWidth;
  const PictureLines rows(task.photo_rows, top, kBlendHeight);
  const PictureLines columns(task.photo_columns, left, kBlendWidth);
  const int width = columns.count(), places = rows.count() * width;
  typename Block::template OfEachThread<BestSoFar> best(block);
  const auto inside = [&](int y, int x) {
    return y < task.photo_rows.outputs && x < task.photo_columns.outputs;
  };

  for (int first = 0; first < task.classes; first += kBlendClasses) {
    block.each_thread([&](int thread) {
      for (int i = thread; i < places; i += kBlendThreads) {
        float scores[kBlendClasses];
        blend_place(task, rows.line(i / width), columns.line(i % width), first, scores);
        for (int c = 0; c < kBlendClasses; ++c) shared.scores[c][i] = scores[c];
      }
    });
    block.each_thread([&](int thread) {
      const int y = top + thread / kBlendWidth, x = left + thread % kBlendWidth;
      if (!inside(y, x)) return;
      const BilinearPlace down = rows.place(y), across = columns.place(x);
      for (int c = 0; c < kBlendClasses && first + c < task.classes; ++c) {
        const float score = interpolate(shared.scores[c], width, down, across);
        best[thread].meet(score, first + c, task.softmax);
      }
    });
  }
  block.each_thread([&](int thread) {
    const int y = top + thread / kBlendWidth, x = left + thread % kBlendWidth;
    if (!inside(y, x)) return;
    const int64_t pixel = int64_t{y} * task.photo_columns.outputs + x;
    task.labels[pixel] = static_cast<uint16_t>(best[thread].label);
    task.scores[pixel] = task.softmax ? best[thread].probability() : best[thread].score;
  });
}

}  // namespace tagclip
