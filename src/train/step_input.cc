#include "train/step_input.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "base/labels.h"
#include "data/random.h"

namespace tagclip {
namespace {

constexpr int64_t kHeldOutSlot = -3;  // of sample_random

bool self_trains(const TrainConfig& config, int64_t iteration) {
  return config.setting == Setting::kTransductive && iteration >= config.self_training_start();
}

// Draws the classes to hide in this iteration: at least one seen class, never all.
std::vector<bool> draw_held_out(const TrainConfig& config, const std::vector<bool>& seen,
                                int64_t iteration) {
  std::vector<size_t> candidates;
  for (size_t c = 0; c < seen.size(); ++c) {
    if (seen[c]) candidates.push_back(c);
  }
  const auto all = static_cast<int64_t>(candidates.size());
  TAGCLIP_CHECK(all > 1, "a single seen class cannot be held out");
  const int64_t wanted = std::lround(config.held_out_share * static_cast<double>(all));
  const int64_t count = std::clamp<int64_t>(wanted, 1, all - 1);
  std::mt19937_64 random = sample_random(config.seed, iteration, kHeldOutSlot);
  std::vector<bool> held_out(seen.size(), false);
  for (int64_t i = 0; i < count; ++i) {
    std::swap(candidates[i], candidates[i + uniform_index(random, all - i)]);
    held_out[candidates[i]] = true;
  }
  return held_out;
}

at::Tensor look_up(const at::Tensor& table, const at::Tensor& labels) {
  return table.to(labels.device()).index({labels.to(at::kLong)});
}

template <typename Input>
auto tensors_of(Input& input) {
  return std::array{&input.pixels, &input.text, &input.targets.labels, &input.targets.seen_mask,
                    &input.pseudo};
}

bool same_layout(const at::Tensor& a, const at::Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() == b.defined();
  return a.sizes() == b.sizes() && a.scalar_type() == b.scalar_type();
}

}  // namespace

int64_t void_label(size_t classes) { return std::max<int64_t>(255, static_cast<int64_t>(classes)); }

bool never_reads_unseen(const TrainConfig& config) {
  return config.trusty_source == TrustySource::kHeldOutSeen;
}

StepLabels step_labels(const TrainConfig& config, const std::vector<bool>& seen,
                       int64_t iteration) {
  const bool supervised = config.setting == Setting::kSupervised;
  const bool self_training = self_trains(config, iteration);
  const PseudoLabels pseudo_labels = config.self_training.pseudo_labels;
  std::vector<bool> held_out(seen.size(), false);
  if (never_reads_unseen(config)) held_out = draw_held_out(config, seen, iteration);

  const int64_t no_class = void_label(seen.size());
  StepLabels step{.label = at::full({no_class + 1}, int64_t{kIgnoreIndex}, at::kLong),
                  .seen_mask = at::full({no_class + 1}, -1, at::kChar)};
  auto* label = step.label.mutable_data_ptr<int64_t>();
  auto* seen_mask = step.seen_mask.mutable_data_ptr<int8_t>();
  for (size_t c = 0; c < seen.size(); ++c) {
    const auto mask = static_cast<int64_t>(step.classes.size());
    const bool known = supervised || (seen[c] && !held_out[c]);
    if (known || self_training) step.classes.push_back(static_cast<int64_t>(c));
    if (!seen[c] && never_reads_unseen(config)) continue;  // as if it were void
    seen_mask[c] = known ? 1 : 0;
    label[c] = known ? mask : kHiddenClass;
    if (known || !self_training) continue;
    if (pseudo_labels == PseudoLabels::kNone) {
      label[c] = kIgnoreIndex;
    } else {
      step.pseudo.push_back(mask);
    }
  }
  if (!step.pseudo.empty() && pseudo_labels == PseudoLabels::kEverything) {
    label[no_class] = kHiddenClass;
  }
  return step;
}

StepInput step_input(at::Tensor pixels, const at::Tensor& stored_labels,
                     const at::Tensor& text_of_all, const StepLabels& labels) {
  const at::Tensor rows = at::tensor(labels.classes, at::kLong).to(text_of_all.device());
  return {std::move(pixels),
          text_of_all.index_select(0, rows),
          {look_up(labels.label, stored_labels), look_up(labels.seen_mask, stored_labels)},
          labels.pseudo.empty() ? at::Tensor()
                                : at::tensor(labels.pseudo, at::kLong).to(stored_labels.device())};
}

bool StaticInput::copy_from(const StepInput& input) {
  const auto from = tensors_of(input);
  const auto to = tensors_of(input_);
  bool same = true;
  for (size_t i = 0; i < from.size(); ++i) same = same && same_layout(*from[i], *to[i]);
  for (size_t i = 0; i < from.size(); ++i) {
    if (!from[i]->defined()) {
      to[i]->reset();
    } else if (same) {
      to[i]->copy_(*from[i]);
    } else {
      *to[i] = from[i]->clone();
    }
  }
  return same;
}

}  // namespace tagclip
