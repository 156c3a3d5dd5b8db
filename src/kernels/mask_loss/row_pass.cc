#include "kernels/mask_loss/row_pass.h"

#include <algorithm>

#include "base/platform.h"
#include "kernels/mask_loss/pixel.h"

namespace tagclip {
namespace {

// Holds a row of pixels between two rows; its logits are upper + fraction (lower - upper).
struct PixelRow {
  const float* upper;
  const float* lower;
  float fraction;
  int64_t count;
};

// Points to the gradients of the two rows. `fraction` shares a pixel's slope between them.
struct RowGradients {
  float* upper;
  float* lower;
};

// Adds a row of background pixels to the focal gradient; returns their focal sum.
TAGCLIP_MULTIVERSION
float add_background(PixelRow row, RowGradients focal) {
  const float* __restrict upper = row.upper;
  const float* __restrict lower = row.lower;
  float* __restrict focal_upper = focal.upper;
  float* __restrict focal_lower = focal.lower;
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < row.count; ++i) {
    const Focal f = focal_of(sigmoid_terms(upper[i] + row.fraction * (lower[i] - upper[i])));
    sum += f.loss;
    const float slope = kAlphaBackground * f.slope, below = row.fraction * slope;
    focal_upper[i] += slope - below;
    focal_lower[i] += below;
  }
  return kAlphaBackground * sum;
}

// Adds a row of pixels to all gradients; returns their sums.
TAGCLIP_MULTIVERSION
LossSums<float> add_target(PixelRow row, PixelLabels given, RowGradients focal,
                           RowGradients intersection, RowGradients prediction) {
  const float* __restrict upper = row.upper;
  const float* __restrict lower = row.lower;
  const int32_t* __restrict labels = given.labels;
  float* __restrict focal_upper = focal.upper;
  float* __restrict focal_lower = focal.lower;
  float* __restrict intersection_upper = intersection.upper;
  float* __restrict intersection_lower = intersection.lower;
  float* __restrict prediction_upper = prediction.upper;
  float* __restrict prediction_lower = prediction.lower;
  float focal_sum = 0, intersection_sum = 0, prediction_sum = 0;
#pragma omp simd reduction(+ : focal_sum, intersection_sum, prediction_sum)
  for (int64_t i = 0; i < row.count; ++i) {
    const PixelKind kind = labels[i] == given.target    ? PixelKind::kTarget
                           : labels[i] == given.ignored ? PixelKind::kIgnored
                                                        : PixelKind::kBackground;
    const PixelTerms terms = pixel_terms(upper[i] + row.fraction * (lower[i] - upper[i]), kind);
    focal_sum += terms.focal;
    intersection_sum += terms.intersection;
    prediction_sum += terms.prediction;
    const float focal_below = row.fraction * terms.focal_slope;
    const float intersection_below = row.fraction * terms.intersection_slope;
    const float prediction_below = row.fraction * terms.prediction_slope;
    focal_upper[i] += terms.focal_slope - focal_below;
    focal_lower[i] += focal_below;
    intersection_upper[i] += terms.intersection_slope - intersection_below;
    intersection_lower[i] += intersection_below;
    prediction_upper[i] += terms.prediction_slope - prediction_below;
    prediction_lower[i] += prediction_below;
  }
  return {focal_sum, intersection_sum, prediction_sum};
}

}  // namespace

MaskLossRowPass::MaskLossRowPass(const BilinearTable& rows, const BilinearTable& columns,
                                 const float* logits, LossSums<float*> gradients)
    : rows_(rows), columns_(columns), logits_(logits), gradients_(gradients), cache_([&] {
        const std::vector<float> zeros(columns.outputs());
        return LogitRow{zeros, {zeros, zeros, zeros}};
      }()) {}

double MaskLossRowPass::background() {
  double sum = 0;
  gradients_.intersection = gradients_.prediction = nullptr;
  for_each_row([&](LogitRow& upper, LogitRow& lower, float fraction) {
    sum += add_background({upper.logits.data(), lower.logits.data(), fraction, columns_.outputs()},
                          {upper.gradients.focal.data(), lower.gradients.focal.data()});
  });
  return sum;
}

LossSums<double> MaskLossRowPass::target(const PixelLabels& labels) {
  LossSums<double> sums;
  PixelLabels given = labels;
  for_each_row([&](LogitRow& upper, LogitRow& lower, float fraction) {
    auto &a = upper.gradients, &b = lower.gradients;
    const LossSums<float> row =
        add_target({upper.logits.data(), lower.logits.data(), fraction, columns_.outputs()}, given,
                   {a.focal.data(), b.focal.data()}, {a.intersection.data(), b.intersection.data()},
                   {a.prediction.data(), b.prediction.data()});
    sums.focal += row.focal;
    sums.intersection += row.intersection;
    sums.prediction += row.prediction;
    given.labels += columns_.outputs();
  });
  return sums;
}

template <typename AddRow>
void MaskLossRowPass::for_each_row(const AddRow& add) {
  for (int64_t y = 0; y < rows_.outputs(); ++y) {
    // The lower row is low + 1, not high: both must be different rows of the cache.
    LogitRow &upper = acquire_row(rows_.low[y]), &lower = acquire_row(rows_.low[y] + 1);
    add(upper, lower, rows_.fraction[y]);
  }
  cache_.evict_all([&](int64_t row, LogitRow& from) { scatter_row(row, from); });
}

MaskLossRowPass::LogitRow& MaskLossRowPass::acquire_row(int64_t row) {
  const auto load = [&](int64_t y, LogitRow& to) {
    resize_row(logits_ + offset(y), columns_, {0, columns_.outputs()}, to.logits.data());
  };
  return cache_.acquire(row, load, [&](int64_t y, LogitRow& from) { scatter_row(y, from); });
}

void MaskLossRowPass::scatter_row(int64_t row, LogitRow& from) {
  scatter(from.gradients.focal, gradients_.focal, row);
  scatter(from.gradients.intersection, gradients_.intersection, row);
  scatter(from.gradients.prediction, gradients_.prediction, row);
}

void MaskLossRowPass::scatter(std::vector<float>& gradient, float* map, int64_t row) {
  if (map == nullptr) return;
  add_resize_adjoint(gradient.data(), columns_, map + offset(row));
  std::ranges::fill(gradient, 0.0f);
}

int64_t MaskLossRowPass::offset(int64_t row) const {
  return std::min(row, rows_.inputs - 1) * columns_.inputs;
}

}  // namespace tagclip
