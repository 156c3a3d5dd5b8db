#include "kernels/blend/blend.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "kernels/blend/candidates.h"
#include "kernels/blend/gpu.h"
#include "kernels/blend/row_blender.h"

namespace tagclip {
namespace {

// Floats of blended scores that a tile holds at a time: they should stay in a core's cache.
constexpr int64_t kTileFloats = 1 << 17;
// Of more classes a tile would be too narrow: so many are gone through at a time.
constexpr int64_t kClassesAtOnce = 512;
constexpr int64_t kLeastColumns = 32;
constexpr int64_t kLeastRows = 16;
// Pixels of a row that share a list of candidates.
constexpr int64_t kBlock = 64;

// Some classes in a rectangle of the photo, computed from top to bottom with the two rows of
// blended scores at hand that the current row of pixels lies between.
class Tile {
 public:
  Tile(const BlendInput& input, const BilinearAxis& rows, const BilinearAxis& columns,
       Interval classes, Interval part)
      : classes_(classes),
        activation_(input.rule.activation),
        rows_(rows),
        part_(part),
        source_(columns.inputs_of(part)),
        blender_(input, classes, source_),
        columns_(columns.slice(part)),
        mixed_(source_.size()),
        labels_(part.size()),
        exponentials_(part.size()),
        candidates_(classes.size(), source_.size(), blocks()) {
    for (auto& row : ring_) row.resize(classes.size() * source_.size());
  }

  // Takes the place of what `result` holds where these classes are better.
  void run(Interval rows, BestClass& result) {
    for (int64_t y = rows.begin; y < rows.end; ++y) {
      const int64_t at = y * result.size.width + part_.begin;
      std::copy_n(result.labels.begin() + at, part_.size(), labels_.begin());
      find_best(y, result.scores.data() + at);
      std::ranges::copy(labels_, result.labels.begin() + at);
    }
  }

 private:
  // Two neighbouring rows never share a place in the ring.
  const float* blended_row(int64_t y) {
    std::vector<float>& row = ring_[y % 2];
    if (held_[y % 2] != y) {
      blender_(y, row.data());
      held_[y % 2] = y;
    }
    return row.data();
  }

  // The cells that every kBlock pixels lie in.
  std::vector<Interval> blocks() const {
    std::vector<Interval> result;
    for (int64_t i = 0; i < part_.size(); i += kBlock) {
      const int64_t last = std::min(i + kBlock, part_.size()) - 1;
      result.push_back({columns_.low[i], columns_.low[last] + 1});
    }
    return result;
  }

  void find_best(int64_t y, float* best) {
    const float* upper = blended_row(rows_.low[y]);
    const float* lower = blended_row(rows_.high[y]);
    if (candidates_of_ != rows_.low[y]) {
      candidates_.find(upper, lower);
      candidates_of_ = rows_.low[y];
    }
    for (int64_t i = 0, block = 0; i < part_.size(); i += kBlock, ++block) {
      const int64_t n = std::min(kBlock, part_.size() - i);
      const Columns columns{&columns_.low[i], &columns_.high[i], &columns_.fraction[i], n};
      const auto [first, end] = columns_.inputs_of({i, i + n});
      for (const int32_t c : candidates_.of(block)) {
        const int64_t at = c * source_.size() + first;
        mix_rows(upper + at, lower + at, rows_.fraction[y], end - first, mixed_.data() + first);
        keep_best(mixed_.data(), columns, static_cast<int32_t>(classes_.begin) + c, best + i,
                  labels_.data() + i);
      }
    }
    if (activation_ == ScoreActivation::kSoftmax)
      apply_softmax(upper, lower, rows_.fraction[y], best);
  }

  // The best logits become their share among the exponentials of all.
  void apply_softmax(const float* upper, const float* lower, float fraction, float* best) {
    std::ranges::fill(exponentials_, 0.0f);
    const Columns columns{columns_.low.data(), columns_.high.data(), columns_.fraction.data(),
                          part_.size()};
    for (int64_t c = 0; c < classes_.size(); ++c) {
      const int64_t at = c * source_.size();
      mix_rows(upper + at, lower + at, fraction, source_.size(), mixed_.data());
      add_exponentials(mixed_.data(), columns, best, exponentials_.data());
    }
    for (int64_t i = 0; i < part_.size(); ++i) {
      if (std::isfinite(best[i])) best[i] = 1 / exponentials_[i];
    }
  }

  Interval classes_;
  ScoreActivation activation_;
  const BilinearAxis& rows_;  // picture -> photo
  Interval part_;             // columns of the photo
  Interval source_;           // columns of the picture they lie between
  RowBlender blender_;
  BilinearAxis columns_;        // source_ -> part_
  std::vector<float> ring_[2];  // [classes, source_]
  int64_t held_[2] = {-1, -1};  // rows of the picture in the ring
  std::vector<float> mixed_;    // [source_]
  std::vector<int32_t> labels_;
  std::vector<float> exponentials_;  // [part_] their sum over the classes
  Candidates candidates_;
  int64_t candidates_of_ = -1;  // the upper row they were found for
};

int64_t columns_of_a_tile(int64_t classes, int64_t picture_width, int64_t photo_width) {
  const int64_t sources = std::max(kTileFloats / (2 * classes), int64_t{1});
  return std::clamp(sources * photo_width / picture_width, kLeastColumns,
                    std::max(photo_width, kLeastColumns));
}

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

Interval nth(int64_t n, int64_t length, int64_t total) {
  return {n * length, std::min((n + 1) * length, total)};
}

void check(const WindowLogits& logits, const WindowLayout& layout, const ScoreRule& rule) {
  const auto count = static_cast<size_t>(logits.classes.size(1));
  const at::Tensor& classes = logits.classes;
  TAGCLIP_CHECK((classes.is_cpu() || classes.is_cuda()) && classes.scalar_type() == at::kFloat,
                "blend takes float32 on the CPU or a GPU");
  TAGCLIP_CHECK(logits.classes.size(0) == static_cast<int64_t>(layout.corners.size()),
                "blend: as many windows as logits");
  TAGCLIP_CHECK(rule.seen_bias.size() == count && rule.weight.size() == count,
                "blend: a rule for every class");
}

}  // namespace

BestClass blend(const WindowLogits& logits, const WindowLayout& layout, const ScoreRule& rule,
                Extent photo) {
  check(logits, layout, rule);
  if (logits.classes.is_cuda()) return gpu_blend(logits, layout, rule, photo);
  const BlendInput input(logits, layout, rule);
  const BilinearAxis rows(layout.resized.height, photo.height);
  const BilinearAxis columns(layout.resized.width, photo.width);
  const auto pixels = static_cast<size_t>(photo.height * photo.width);
  BestClass result{photo, std::vector<uint16_t>(pixels),
                   std::vector<float>(pixels, -std::numeric_limits<float>::infinity())};

  // A softmax is over all classes.
  const int64_t at_once = rule.activation == ScoreActivation::kSoftmax
                              ? input.class_count
                              : std::min(kClassesAtOnce, input.class_count);
  const int64_t width = columns_of_a_tile(at_once, layout.resized.width, photo.width);
  const int64_t across = ceil_div(photo.width, width);
  const int64_t wanted = ceil_div(4 * at::get_num_threads(), across);
  const int64_t height = std::max(ceil_div(photo.height, wanted), kLeastRows);
  const int64_t down = ceil_div(photo.height, height);
  at::parallel_for(0, across * down, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      for (int64_t group = 0; group * at_once < input.class_count; ++group) {
        Tile(input, rows, columns, nth(group, at_once, input.class_count),
             nth(i % across, width, photo.width))
            .run(nth(i / across, height, photo.height), result);
      }
    }
  });
  return result;
}

}  // namespace tagclip
