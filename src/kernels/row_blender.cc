#include "kernels/row_blender.h"

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

RowBlender::RowBlender(const BlendInput& input, Interval part) : input_(input), part_(part) {
  for (size_t k = 0; k < input.layout.corners.size(); ++k) {
    const int64_t left = input.layout.corners[k].left;
    if (left < part.end && left + input.layout.window.width > part.begin) windows_.push_back(k);
  }
  for (auto& weights : weights_) weights.resize(part.size());
  share_.resize(part.size());
  trusty_.resize(part.size());
  logits_.resize(input.grid.width);
}

std::vector<RowBlender::Patch> RowBlender::patches_on(int64_t y) const {
  std::vector<Patch> patches;
  for (const size_t k : windows_) {
    const auto [top, left] = input_.layout.corners[k];
    const int64_t row = y - top;
    if (row < 0 || row >= input_.layout.window.height) continue;
    const int64_t begin = std::max(left, part_.begin);
    const int64_t end = std::min(left + input_.layout.window.width, part_.end);
    const BilinearAxis& columns = input_.columns;
    patches.push_back(
        {.window = k,
         .first = begin - part_.begin,
         .columns = {columns.low.data() + begin - left, columns.high.data() + begin - left,
                     columns.fraction.data() + begin - left, end - begin},
         .upper = input_.rows.low[row],
         .lower = input_.rows.high[row],
         .fraction = input_.rows.fraction[row]});
  }
  return patches;
}

void RowBlender::operator()(int64_t y, float* scores) {
  const std::vector<Patch> patches = patches_on(y);
  std::ranges::fill(share_, 0.0f);
  for (const Patch& patch : patches) {
    for (int64_t i = 0; i < patch.columns.count; ++i) share_[patch.first + i] += 1;
  }
  for (float& share : share_) share = 1 / share;

  std::fill_n(scores, input_.class_count * part_.size(), 0.0f);
  for (const Patch& patch : patches) {
    weigh(patch);
    add(patch, scores);
  }
}

void RowBlender::weigh(const Patch& patch) {
  const float* share = share_.data() + patch.first;
  const int64_t n = patch.columns.count;
  float* none = weights_[index(TrustyWeight::kNone)].data();
  std::copy_n(share, n, none);
  if (input_.trusty_data == nullptr) return;

  mix_rows(input_.trusty_row(patch.window, patch.upper),
           input_.trusty_row(patch.window, patch.lower), patch.fraction, input_.grid.width,
           logits_.data());
  resize_row(logits_.data(), patch.columns, trusty_.data());
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
  for (int64_t c = 0; c < input_.class_count; ++c) {
    mix_rows(input_.class_row(patch.window, c, patch.upper),
             input_.class_row(patch.window, c, patch.lower), patch.fraction, input_.grid.width,
             logits_.data());
    float* sum = scores + c * part_.size() + patch.first;
    if (input_.rule.link == Link::kSoftmax) {
      add_logits(logits_.data(), patch.columns, weights_[index(TrustyWeight::kNone)].data(), sum);
      continue;
    }
    const TrustyWeight weight = weighted ? input_.rule.weight[c] : TrustyWeight::kNone;
    add_scores(logits_.data(), patch.columns,
               input_.presence[patch.window * input_.class_count + c], input_.rule.deduction[c],
               weights_[index(weight)].data(), sum);
  }
}

}  // namespace tagclip
