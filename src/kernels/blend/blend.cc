#include "kernels/blend/blend.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/platform.h"
#include "kernels/blend/candidates.h"
#include "kernels/blend/device_buffers.h"
#include "kernels/blend/reference.h"
#include "kernels/blend/view_rows.h"
#include "kernels/common/fast_math.h"

namespace tagclip {
namespace {

// Blended scores that a strip holds at a time, in floats: they should fit a core's L2 cache.
constexpr int64_t kStripFloats = 1 << 17;
// More classes would make a strip too narrow; they are processed in groups of this size.
constexpr int64_t kMaxClasses = 512;
constexpr int64_t kMinColumns = 32;
constexpr int64_t kMinRows = 16;
constexpr int64_t kBlock = 64;  // pixels of a row that share a list of candidates

// out[i] = max(best[i], output part.begin + i of `row`); where that is `row`'s, label[i] =
// candidate.
TAGCLIP_MULTIVERSION
void keep_best(const float* __restrict row, const BilinearTable& table, Interval part,
               int32_t candidate, float* __restrict best, int32_t* __restrict label) {
  const int32_t* __restrict low = table.low.data() + part.begin;
  const int32_t* __restrict high = table.high.data() + part.begin;
  const float* __restrict fraction = table.fraction.data() + part.begin;
  const int64_t n = part.size();
  for (int64_t i = 0; i < n; ++i) {
    const float score = row[low[i]] + fraction[i] * (row[high[i]] - row[low[i]]);
    const bool better = score > best[i];
    best[i] = better ? score : best[i];
    label[i] = better ? candidate : label[i];
  }
}

// sum[i] += exp(output i of `row` - largest[i])
TAGCLIP_MULTIVERSION
void add_exponentials(const float* __restrict row, const BilinearTable& table,
                      const float* __restrict largest, float* __restrict sum) {
  const int32_t* __restrict low = table.low.data();
  const int32_t* __restrict high = table.high.data();
  const float* __restrict fraction = table.fraction.data();
  const int64_t n = table.outputs();
  for (int64_t i = 0; i < n; ++i) {
    const float logit = row[low[i]] + fraction[i] * (row[high[i]] - row[low[i]]);
    sum[i] += fast_exp(logit - largest[i]);
  }
}

// Some classes in some columns of the image, computed from top to bottom. Holds the two rows of
// blended scores that the current row of pixels lies between.
class ImageStrip {
 public:
  // rows, columns: grid of the views -> image. `part`: columns of the image.
  ImageStrip(const ViewsOnGrid& views, const BilinearTable& rows, const BilinearTable& columns,
             Interval classes, Interval part)
      : classes_(classes),
        activation_(views.rule.activation),
        rows_(rows),
        part_(part),
        source_(columns.inputs_of(part)),
        blender_(views, classes, source_),
        columns_(columns.slice(part)),
        blended_(std::vector<float>(classes.size() * source_.size())),
        mixed_(source_.size()),
        labels_(part.size()),
        exponentials_(part.size()),
        candidates_(classes.size(), source_.size(), blocks()) {}

  // Updates rows `rows` of `result` where these classes are better than those before them.
  void run(Interval rows, BestClass& result) {
    for (int64_t y = rows.begin; y < rows.end; ++y) {
      const int64_t at = y * result.size.width + part_.begin;
      std::copy_n(result.labels.begin() + at, part_.size(), labels_.begin());
      find_best(y, result.scores.data() + at);
      std::ranges::copy(labels_, result.labels.begin() + at);
    }
  }

 private:
  const float* blended_row(int64_t y) {
    const auto load = [&](int64_t row, std::vector<float>& scores) {
      blender_(row, scores.data());
    };
    return blended_.acquire(y, load).data();
  }

  // The cells that each kBlock pixels lie in.
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
      const Interval pixels{i, std::min(i + kBlock, part_.size())};
      const auto [first, end] = columns_.inputs_of(pixels);
      for (const int32_t c : candidates_.of(block)) {
        const int64_t at = c * source_.size() + first;
        lerp_rows(upper + at, lower + at, rows_.fraction[y], end - first, mixed_.data() + first);
        keep_best(mixed_.data(), columns_, pixels, static_cast<int32_t>(classes_.begin) + c,
                  best + i, labels_.data() + i);
      }
    }
    if (activation_ == ScoreActivation::kSoftmax) {
      apply_softmax(upper, lower, rows_.fraction[y], best);
    }
  }

  // Replaces the best logit of each pixel by its softmax over all classes.
  void apply_softmax(const float* upper, const float* lower, float fraction, float* best) {
    std::ranges::fill(exponentials_, 0.0f);
    for (int64_t c = 0; c < classes_.size(); ++c) {
      const int64_t at = c * source_.size();
      lerp_rows(upper + at, lower + at, fraction, source_.size(), mixed_.data());
      add_exponentials(mixed_.data(), columns_, best, exponentials_.data());
    }
    for (int64_t i = 0; i < part_.size(); ++i) {
      if (std::isfinite(best[i])) best[i] = 1 / exponentials_[i];
    }
  }

  Interval classes_;
  ScoreActivation activation_;
  const BilinearTable& rows_;
  Interval part_;    // columns of the image
  Interval source_;  // the columns of the grid that they lie between
  ViewRowBlender blender_;
  BilinearTable columns_;                    // source_ -> part_
  TwoRowCache<std::vector<float>> blended_;  // [classes, source_]
  std::vector<float> mixed_;                 // [source_]
  std::vector<int32_t> labels_;              // [part_]
  std::vector<float> exponentials_;          // [part_]: their sum over the classes
  Candidates candidates_;
  int64_t candidates_of_ = -1;  // the upper row they were found for
};

int64_t strip_columns(int64_t classes, int64_t grid_width, int64_t image_width) {
  const int64_t sources = std::max(kStripFloats / (2 * classes), int64_t{1});
  return std::clamp(sources * image_width / grid_width, kMinColumns,
                    std::max(image_width, kMinColumns));
}

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

Interval nth(int64_t n, int64_t length, int64_t total) {
  return {n * length, std::min((n + 1) * length, total)};
}

void check(const WindowLogits& logits, const WindowLayout& layout, const ScoreRule& rule) {
  const auto count = static_cast<size_t>(logits.classes.size(1));
  const at::Tensor& classes = logits.classes;
  TAGCLIP_CHECK((classes.is_cpu() || classes.is_cuda()) && classes.scalar_type() == at::kFloat,
                "blend takes float32 logits on the CPU or a GPU");
  TAGCLIP_CHECK(logits.classes.size(0) == static_cast<int64_t>(layout.corners.size()),
                "blend: the layout has another number of windows than the logits");
  TAGCLIP_CHECK(rule.seen_bias.size() == count && rule.weight.size() == count,
                "blend: the score rule has another number of classes than the logits");
}

}  // namespace

BestClass blend(const WindowLogits& logits, const WindowLayout& layout, const ScoreRule& rule,
                Extent image) {
  const BlendView view{logits, layout};
  return blend(std::span(&view, 1), rule, image);
}

BestClass blend(std::span<const BlendView> given, const ScoreRule& rule, Extent image) {
  TAGCLIP_CHECK(!given.empty(), "blend takes at least one view");
  for (const auto& [logits, layout] : given) check(logits, layout, rule);
  if (given[0].logits.classes.is_cuda()) {
    return given.size() == 1 ? gpu_blend(given[0].logits, given[0].layout, rule, image)
                             : blend_by_class(given, rule, image);
  }
  // What is interpolated to the image: the scores at the size of the only view; several views meet
  // at the image's own size.
  const Extent grid = given.size() == 1 ? given[0].layout.resized : image;
  const ViewsOnGrid views(given, rule, grid);
  const BilinearTable rows(grid.height, image.height);
  const BilinearTable columns(grid.width, image.width);
  const auto pixels = static_cast<size_t>(image.height * image.width);
  BestClass result{image, std::vector<uint16_t>(pixels),
                   std::vector<float>(pixels, -std::numeric_limits<float>::infinity())};

  // A softmax needs all classes at a time.
  const int64_t group = rule.activation == ScoreActivation::kSoftmax
                            ? views.class_count
                            : std::min(kMaxClasses, views.class_count);
  const int64_t width = strip_columns(group, grid.width, image.width);
  const int64_t across = ceil_div(image.width, width);
  const int64_t wanted = ceil_div(4 * at::get_num_threads(), across);
  const int64_t height = std::max(ceil_div(image.height, wanted), kMinRows);
  const int64_t down = ceil_div(image.height, height);
  at::parallel_for(0, across * down, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      for (int64_t g = 0; g * group < views.class_count; ++g) {
        ImageStrip(views, rows, columns, nth(g, group, views.class_count),
                   nth(i % across, width, image.width))
            .run(nth(i / across, height, image.height), result);
      }
    }
  });
  return result;
}

}  // namespace tagclip
