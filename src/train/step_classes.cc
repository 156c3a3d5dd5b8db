#include "train/step_classes.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "data/random.h"
#include "model/losses.h"
#include "train/epoch_order.h"

namespace tagclip {
namespace {

constexpr int64_t kHeldOut = -3;  // the slot no sample has

bool self_trains(const TrainConfig& config, int64_t iteration) {
  const double start = config.self_training.from * static_cast<double>(config.schedule.iterations);
  return config.setting == Setting::kTransductive && static_cast<double>(iteration) >= start;
}

// Some of the seen classes, other ones in every iteration; at least one, never all.
std::vector<bool> draw_held_out(const TrainConfig& config, const std::vector<bool>& seen,
                                int64_t iteration) {
  std::vector<size_t> candidates;
  for (size_t c = 0; c < seen.size(); ++c) {
    if (seen[c]) candidates.push_back(c);
  }
  const auto all = static_cast<int64_t>(candidates.size());
  TAGCLIP_CHECK(all > 1, "of one seen class none can be held out");
  const int64_t wanted = std::lround(config.held_out_share * static_cast<double>(all));
  const int64_t count = std::clamp<int64_t>(wanted, 1, all - 1);
  std::mt19937_64 random = sample_random(config.seed, iteration, kHeldOut);
  std::vector<bool> held_out(seen.size(), false);
  for (int64_t i = 0; i < count; ++i) {
    std::swap(candidates[i], candidates[i + uniform_index(random, all - i)]);
    held_out[candidates[i]] = true;
  }
  return held_out;
}

}  // namespace

int64_t void_label(size_t classes) { return std::max<int64_t>(255, static_cast<int64_t>(classes)); }

bool never_reads_unseen(const TrainConfig& config) {
  return config.trusty_source == TrustySource::kHeldOutSeen;
}

StepClasses step_classes(const TrainConfig& config, const std::vector<bool>& seen,
                         int64_t iteration) {
  const bool supervised = config.setting == Setting::kSupervised;
  const bool self_training = self_trains(config, iteration);
  const PseudoLabels pseudo_labels = config.self_training.pseudo_labels;
  std::vector<bool> held_out(seen.size(), false);
  if (never_reads_unseen(config)) held_out = draw_held_out(config, seen, iteration);

  const int64_t nothing = void_label(seen.size());
  StepClasses step{.label = at::full({nothing + 1}, kIgnored, at::kLong),
                   .seen_mask = at::full({nothing + 1}, -1, at::kChar)};
  auto* label = step.label.mutable_data_ptr<int64_t>();
  auto* seen_mask = step.seen_mask.mutable_data_ptr<int8_t>();
  for (size_t c = 0; c < seen.size(); ++c) {
    const auto map = static_cast<int64_t>(step.classes.size());
    const bool known = supervised || (seen[c] && !held_out[c]);
    if (known || self_training) step.classes.push_back(static_cast<int64_t>(c));
    if (!seen[c] && never_reads_unseen(config)) continue;  // as if it were void
    seen_mask[c] = known ? 1 : 0;
    label[c] = known ? map : kHiddenClass;
    if (known || !self_training) continue;
    if (pseudo_labels == PseudoLabels::kNone) {
      label[c] = kIgnored;
    } else {
      step.pseudo.push_back(map);
    }
  }
  if (!step.pseudo.empty() && pseudo_labels == PseudoLabels::kEverything)
    label[nothing] = kHiddenClass;
  return step;
}

}  // namespace tagclip
