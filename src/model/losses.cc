#include "model/losses.h"

#include "kernels/mask_loss/mask_loss.h"
#include "kernels/mask_loss/reference.h"

namespace tagclip {
namespace {

at::Tensor dice(const MaskSums& sums) {
  return 1 - (2 * sums.intersection + 1) / (sums.prediction + sums.target + 1);
}

// A finite number also where a class is absent.
at::Tensor tversky(const MaskSums& sums) {
  const at::Tensor false_alarm = sums.prediction - sums.intersection,
                   missed = sums.target - sums.intersection;
  const at::Tensor all = sums.intersection + 0.3 * false_alarm + 0.7 * missed;
  return sums.intersection / all.masked_fill(sums.target.eq(0), 1);
}

// The terms that look at pixels.
struct PixelSums {
  MaskSums classes, trusty;
};

using SumMasks = MaskSums(const at::Tensor& logits, const at::Tensor& labels);

// The released trusty target: 1 where the unmasked label is unseen, 0 everywhere else, ignored
// pixels included. The paper's: 1 where the class is seen, 0 where unseen (Eq. 9).
PixelSums pixel_sums(const MaskLogits& logits, const Targets& targets, Protocol protocol,
                     SumMasks* sum_classes, SumMasks* sum_trusty) {
  PixelSums sums{.classes = sum_classes(logits.classes, targets.labels), .trusty = {}};
  if (logits.trusty.defined()) {
    sums.trusty = sum_trusty(logits.trusty, protocol == Protocol::kReleased
                                                ? targets.familiar.eq(0).to(at::kChar)
                                                : targets.familiar);
  }
  return sums;
}

Losses weigh(const PixelSums& sums, const MaskLogits& logits, const Targets& targets,
             const at::Tensor& counted, Protocol protocol, const LossConfig& config) {
  const at::Tensor num_masks = counted.clamp_min(1);
  const auto pixels = static_cast<double>(targets.labels.size(1) * targets.labels.size(2));
  const at::Tensor present = sums.classes.target.gt(0);  // [B, C]
  const at::Tensor overlap =
      config.overlap == OverlapLoss::kDice ? dice(sums.classes) : tversky(sums.classes);

  Losses losses;
  losses.mask = config.mask_weight / pixels * sums.classes.focal.sum() / num_masks;
  losses.dice =
      config.dice_weight * overlap.masked_fill(present.logical_not(), 0).sum() / num_masks;
  if (logits.trusty.defined()) {
    losses.trusty = config.trusty_weight * (protocol == Protocol::kReleased
                                                ? sums.trusty.focal.sum() / pixels / num_masks
                                                : dice(sums.trusty).mean());
  }
  if (logits.presence.defined()) {
    losses.presence = config.presence_weight *
                      at::binary_cross_entropy_with_logits(logits.presence, present.to(at::kFloat));
  }
  return losses;
}

template <class Config>
FieldsOf<Config> list_fields(Config& config) {
  constexpr Range weight{0, 1e6};
  FieldsOf<Config> list;
  list.add("mask_weight", config.mask_weight, weight,
           "alpha: weight of the focal term (ZegCLIP: 100)");
  list.add("dice_weight", config.dice_weight, weight, "beta: weight of the overlap term");
  list.add("trusty_weight", config.trusty_weight, weight, "gamma: weight of the trusty term");
  list.add("presence_weight", config.presence_weight, weight,
           "weight of the paper's classification term");
  list.add("overlap", config.overlap,
           {{"dice", OverlapLoss::kDice}, {"tversky", OverlapLoss::kTversky}},
           "overlap term; tversky is kept as released, with its sign error");
  return list;
}

}  // namespace

FieldList LossConfig::fields() { return list_fields(*this); }
ConstFieldList LossConfig::fields() const { return list_fields(*this); }

at::Tensor Losses::total() const {
  at::Tensor sum = mask + dice;
  if (trusty.defined()) sum = sum + trusty;
  if (presence.defined()) sum = sum + presence;
  return sum;
}

at::Tensor count_masks(const at::Tensor& labels, int64_t classes) {
  // Places 0 and C + 1 collect what is ignored.
  const at::Tensor place = labels.flatten(1).clamp(-1, classes) + 1;
  return at::zeros({labels.size(0), classes + 2}, labels.options())
      .scatter_(1, place, 1)
      .narrow(1, 1, classes)
      .sum()
      .to(at::kFloat);
}

Losses segmentation_losses(const MaskLogits& logits, const Targets& targets,
                           const at::Tensor& num_masks, Protocol protocol,
                           const LossConfig& config) {
  if (logits.classes.scalar_type() != at::kFloat) {
    return plain_segmentation_losses(logits, targets, num_masks, protocol, config);
  }
  const PixelSums sums = pixel_sums(logits, targets, protocol, mask_sums, binary_mask_sums);
  return weigh(sums, logits, targets, num_masks, protocol, config);
}

Losses plain_segmentation_losses(const MaskLogits& logits, const Targets& targets,
                                 const at::Tensor& num_masks, Protocol protocol,
                                 const LossConfig& config) {
  const PixelSums sums =
      pixel_sums(logits, targets, protocol, reference_mask_sums, reference_binary_mask_sums);
  return weigh(sums, logits, targets, num_masks, protocol, config);
}

}  // namespace tagclip
