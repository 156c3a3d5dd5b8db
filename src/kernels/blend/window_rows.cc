#include "kernels/blend/window_rows.h"

#include <algorithm>

#include "base/platform.h"
#include "kernels/blend/taper.h"
#include "kernels/common/fast_math.h"

namespace tagclip {
namespace {

constexpr auto index(TrustyWeight weight) { return static_cast<size_t>(weight); }

std::vector<float> presence_of(const WindowLogits& logits) {
  if (!logits.presence.defined())
    return std::vector<float>(logits.classes.size(0) * logits.classes.size(1), 1);
  const at::Tensor presence = logits.presence.sigmoid().contiguous();
  return {presence.data_ptr<float>(), presence.data_ptr<float>() + presence.numel()};
}

TAGCLIP_MULTIVERSION
void sigmoid_row(float* x, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] = fast_sigmoid(x[i]);
}

// sum[i] += (presence sigmoid(logit i) - seen_bias) weight[i], logit i being
// upper[i] + fraction (lower[i] - upper[i])
TAGCLIP_MULTIVERSION
void add_scores(const float* __restrict upper, const float* __restrict lower, float fraction,
                int64_t n, float presence, float seen_bias, const float* __restrict weight,
                float* __restrict sum) {
  for (int64_t i = 0; i < n; ++i) {
    const float logit = upper[i] + fraction * (lower[i] - upper[i]);
    sum[i] += (presence * fast_sigmoid(logit) - seen_bias) * weight[i];
  }
}

// sum[i] += logit i weight[i]
TAGCLIP_MULTIVERSION
void add_logits(const float* __restrict upper, const float* __restrict lower, float fraction,
                int64_t n, const float* __restrict weight, float* __restrict sum) {
  for (int64_t i = 0; i < n; ++i) {
    sum[i] += (upper[i] + fraction * (lower[i] - upper[i])) * weight[i];
  }
}

}  // namespace

BlendInput::BlendInput(const WindowLogits& logits, const WindowLayout& window_layout,
                       const ScoreRule& score_rule)
    : layout(window_layout),
      rule(score_rule),
      classes(logits.classes.contiguous()),
      trusty(logits.trusty.defined() ? logits.trusty.contiguous() : at::Tensor()),
      classes_data(classes.data_ptr<float>()),
      trusty_data(trusty.defined() ? trusty.data_ptr<float>() : nullptr),
      presence(presence_of(logits)),
      class_count(classes.size(1)),
      grid{classes.size(2), classes.size(3)},
      rows(grid.height, layout.window.height),
      columns(grid.width, layout.window.width),
      row_weights(window_weights(layout.window.height, layout.tapered)),
      column_weights(window_weights(layout.window.width, layout.tapered)) {}

WindowRowBlender::WindowRowBlender(const BlendInput& input, Interval classes, Interval part)
    : input_(input), classes_(classes), part_(part) {
  const int64_t width = input.layout.window.width;
  for (size_t k = 0; k < input.layout.corners.size(); ++k) {
    const int64_t left = input.layout.corners[k].left;
    const int64_t begin = std::max(left, part.begin), end = std::min(left + width, part.end);
    if (begin >= end) continue;
    windows_.push_back({.window = k,
                        .columns = {begin - left, end - left},
                        .first = begin - part.begin,
                        .rows = TwoRowCache(Row((classes.size() + 1) * (end - begin)))});
  }
  for (auto& weights : weights_) weights.resize(part.size());
  share_.resize(part.size());
  trusty_.resize(part.size());
}

const float* WindowRowBlender::logits_row(ResizedWindow& resized, int64_t row) const {
  const auto load = [&](int64_t y, Row& to) {
    const int64_t n = resized.count();
    for (int64_t c = 0; c < classes_.size(); ++c) {
      resize_row(input_.class_row(resized.window, classes_.begin + c, y), input_.columns,
                 resized.columns, to.data() + c * n);
    }
    if (input_.trusty_data != nullptr) {
      resize_row(input_.trusty_row(resized.window, y), input_.columns, resized.columns,
                 to.data() + classes_.size() * n);
    }
  };
  return resized.rows.acquire(row, load).data();
}

std::vector<WindowRowBlender::RowContribution> WindowRowBlender::contributions_to(int64_t y) {
  std::vector<RowContribution> contributions;
  for (ResizedWindow& resized : windows_) {
    const int64_t row = y - input_.layout.corners[resized.window].top;
    if (row < 0 || row >= input_.layout.window.height) continue;
    contributions.push_back({.resized = resized,
                             .row = row,
                             .upper = logits_row(resized, input_.rows.low[row]),
                             .lower = logits_row(resized, input_.rows.high[row]),
                             .fraction = input_.rows.fraction[row]});
  }
  return contributions;
}

void WindowRowBlender::operator()(int64_t y, float* scores) {
  const std::vector<RowContribution> contributions = contributions_to(y);
  std::ranges::fill(share_, 0.0f);
  for (const RowContribution& contribution : contributions) {
    float* share = share_.data() + contribution.resized.first;
    const float* across = input_.column_weights.data() + contribution.resized.columns.begin;
    const float down = input_.row_weights[contribution.row];
    for (int64_t i = 0; i < contribution.resized.count(); ++i) share[i] += down * across[i];
  }
  for (float& share : share_) share = 1 / share;

  std::fill_n(scores, classes_.size() * part_.size(), 0.0f);
  for (const RowContribution& contribution : contributions) {
    find_weights(contribution);
    add(contribution, scores);
  }
}

void WindowRowBlender::find_weights(const RowContribution& contribution) {
  const float* share = share_.data() + contribution.resized.first;
  const int64_t n = contribution.resized.count();
  float* own = weights_[index(TrustyWeight::kNone)].data();
  const float* across = input_.column_weights.data() + contribution.resized.columns.begin;
  const float down = input_.row_weights[contribution.row];
  for (int64_t i = 0; i < n; ++i) own[i] = share[i] * (down * across[i]);
  if (input_.trusty_data == nullptr) return;

  const int64_t at = classes_.size() * n;
  lerp_rows(contribution.upper + at, contribution.lower + at, contribution.fraction, n,
            trusty_.data());
  sigmoid_row(trusty_.data(), n);
  // The classes that are weighted by sigmoid(trusty), and those weighted by 1 - sigmoid(trusty).
  float* by_trusty = weights_[index(TrustyWeight::kNovel)].data();
  float* by_complement = weights_[index(TrustyWeight::kSeen)].data();
  if (input_.rule.trusty_means_seen) std::swap(by_trusty, by_complement);
  for (int64_t i = 0; i < n; ++i) {
    by_trusty[i] = own[i] * trusty_[i];
    by_complement[i] = own[i] - by_trusty[i];
  }
}

void WindowRowBlender::add(const RowContribution& contribution, float* scores) {
  const ResizedWindow& resized = contribution.resized;
  const bool weighted = input_.trusty_data != nullptr;
  const int64_t n = resized.count();
  for (int64_t i = 0; i < classes_.size(); ++i) {
    const int64_t c = classes_.begin + i;
    const float *upper = contribution.upper + i * n, *lower = contribution.lower + i * n;
    float* sum = scores + i * part_.size() + resized.first;
    if (input_.rule.activation == ScoreActivation::kSoftmax) {
      add_logits(upper, lower, contribution.fraction, n,
                 weights_[index(TrustyWeight::kNone)].data(), sum);
      continue;
    }
    const TrustyWeight weight = weighted ? input_.rule.weight[c] : TrustyWeight::kNone;
    add_scores(upper, lower, contribution.fraction, n,
               input_.presence[resized.window * input_.class_count + c], input_.rule.seen_bias[c],
               weights_[index(weight)].data(), sum);
  }
}

}  // namespace tagclip
