#include "kernels/blend/row_blender.h"

#include <algorithm>

#include "base/error.h"

namespace tagclip {
namespace {

constexpr auto index(TrustyWeight weight) { return static_cast<size_t>(weight); }

std::vector<float> presence_of(const WindowLogits& logits) {
  if (!logits.presence.defined())
    return std::vector<float>(logits.classes.size(0) * logits.classes.size(1), 1);
  const at::Tensor presence = logits.presence.sigmoid().contiguous();
  return {presence.data_ptr<float>(), presence.data_ptr<float>() + presence.numel()};
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
      columns(grid.width, layout.window.width) {}

RowBlender::RowBlender(const BlendInput& input, Interval classes, Interval part)
    : input_(input), classes_(classes), part_(part) {
  const int64_t width = input.layout.window.width;
  for (size_t k = 0; k < input.layout.corners.size(); ++k) {
    const int64_t left = input.layout.corners[k].left;
    const int64_t begin = std::max(left, part.begin), end = std::min(left + width, part.end);
    if (begin >= end) continue;
    const BilinearAxis& columns = input.columns;
    Stretched window{
        .window = k,
        .first = begin - part.begin,
        .columns = {columns.low.data() + begin - left, columns.high.data() + begin - left,
                    columns.fraction.data() + begin - left, end - begin}};
    for (auto& rows : window.ring) rows.resize((classes.size() + 1) * (end - begin));
    windows_.push_back(std::move(window));
  }
  for (auto& weights : weights_) weights.resize(part.size());
  share_.resize(part.size());
  trusty_.resize(part.size());
}

// Neighbours never share a place in the ring.
const float* RowBlender::stretch(Stretched& stretched, int64_t row) const {
  float* rows = stretched.ring[row % 2].data();
  if (stretched.held[row % 2] == row) return rows;
  stretched.held[row % 2] = row;
  const int64_t n = stretched.columns.count;
  for (int64_t c = 0; c < classes_.size(); ++c) {
    resize_row(input_.class_row(stretched.window, classes_.begin + c, row), stretched.columns,
               rows + c * n);
  }
  if (input_.trusty_data != nullptr) {
    resize_row(input_.trusty_row(stretched.window, row), stretched.columns,
               rows + classes_.size() * n);
  }
  return rows;
}

std::vector<RowBlender::Patch> RowBlender::patches_on(int64_t y) {
  std::vector<Patch> patches;
  for (Stretched& window : windows_) {
    const int64_t row = y - input_.layout.corners[window.window].top;
    if (row < 0 || row >= input_.layout.window.height) continue;
    patches.push_back({.stretched = window,
                       .upper = stretch(window, input_.rows.low[row]),
                       .lower = stretch(window, input_.rows.high[row]),
                       .fraction = input_.rows.fraction[row]});
  }
  return patches;
}

void RowBlender::operator()(int64_t y, float* scores) {
  const std::vector<Patch> patches = patches_on(y);
  std::ranges::fill(share_, 0.0f);
  for (const Patch& patch : patches) {
    float* share = share_.data() + patch.stretched.first;
    for (int64_t i = 0; i < patch.stretched.columns.count; ++i) share[i] += 1;
  }
  for (float& share : share_) share = 1 / share;

  std::fill_n(scores, classes_.size() * part_.size(), 0.0f);
  for (const Patch& patch : patches) {
    weigh(patch);
    add(patch, scores);
  }
}

void RowBlender::weigh(const Patch& patch) {
  const float* share = share_.data() + patch.stretched.first;
  const int64_t n = patch.stretched.columns.count;
  float* none = weights_[index(TrustyWeight::kNone)].data();
  std::copy_n(share, n, none);
  if (input_.trusty_data == nullptr) return;

  const int64_t at = classes_.size() * n;
  mix_rows(patch.upper + at, patch.lower + at, patch.fraction, n, trusty_.data());
  sigmoid_row(trusty_.data(), n);
  // The classes that a high trusty logit speaks for, and the others.
  float* trusted = weights_[index(TrustyWeight::kNovel)].data();
  float* others = weights_[index(TrustyWeight::kSeen)].data();
  if (input_.rule.trusty_means_seen) std::swap(trusted, others);
  for (int64_t i = 0; i < n; ++i) {
    trusted[i] = share[i] * trusty_[i];
    others[i] = share[i] - trusted[i];
  }
}

void RowBlender::add(const Patch& patch, float* scores) {
  const bool weighted = input_.trusty_data != nullptr;
  const int64_t n = patch.stretched.columns.count;
  for (int64_t i = 0; i < classes_.size(); ++i) {
    const int64_t c = classes_.begin + i;
    const PixelRow logits{patch.upper + i * n, patch.lower + i * n, patch.fraction, n};
    float* sum = scores + i * part_.size() + patch.stretched.first;
    if (input_.rule.activation == ScoreActivation::kSoftmax) {
      add_logits(logits, weights_[index(TrustyWeight::kNone)].data(), sum);
      continue;
    }
    const TrustyWeight weight = weighted ? input_.rule.weight[c] : TrustyWeight::kNone;
    const float presence = input_.presence[patch.stretched.window * input_.class_count + c];
    add_scores(logits, presence, input_.rule.seen_bias[c], weights_[index(weight)].data(), sum);
  }
}

}  // namespace tagclip
