#include "model/losses.h"

#include <algorithm>

#include "base/error.h"

namespace tagclip {
namespace {

constexpr double kFocalAlpha = 0.25;

// Sigmoid focal loss with gamma 2, elementwise.
at::Tensor focal(const at::Tensor& logits, const at::Tensor& target) {
  const at::Tensor p = logits.sigmoid();
  const at::Tensor entropy =
      at::binary_cross_entropy_with_logits(logits, target, {}, {}, at::Reduction::None);
  const at::Tensor miss = p + target - 2 * p * target;  // 1 - p_t
  const at::Tensor alpha = (1 - kFocalAlpha) + (2 * kFocalAlpha - 1) * target;
  return alpha * entropy * miss * miss;
}

// p and target [M, pixels] -> [M]
at::Tensor dice(const at::Tensor& p, const at::Tensor& target) {
  return 1 - (2 * (p * target).sum(-1) + 1) / (p.sum(-1) + target.sum(-1) + 1);
}

at::Tensor tversky(const at::Tensor& p, const at::Tensor& target) {
  const at::Tensor hit = (p * target).sum(-1);
  const at::Tensor false_alarm = (p * (1 - target)).sum(-1), missed = ((1 - p) * target).sum(-1);
  return hit / (hit + 0.3 * false_alarm + 0.7 * missed);
}

// labels [B, H, W] -> [B, C, H, W] of 0 and 1; ignored pixels are background of every class.
at::Tensor binary_masks(const at::Tensor& labels, int64_t classes) {
  const at::Tensor index = at::arange(classes, labels.options()).view({1, classes, 1, 1});
  return labels.unsqueeze(1).eq(index).to(at::kFloat);
}

at::Tensor upsample(const at::Tensor& logits, const at::Tensor& labels) {
  if (logits.size(2) == labels.size(1) && logits.size(3) == labels.size(2)) return logits;
  return at::upsample_bilinear2d(logits, {labels.size(1), labels.size(2)}, /*align_corners=*/false);
}

// The released target: 1 where the unmasked label is unseen, 0 everywhere else, ignored pixels
// included.
at::Tensor trusty_released(const at::Tensor& logits, const at::Tensor& familiar, double num_masks) {
  const at::Tensor target = familiar.eq(0).unsqueeze(1).to(at::kFloat);
  return focal(logits, target).mean({1, 2, 3}).sum() / num_masks;
}

// The paper's: dice over the labelled pixels, 1 where the class is seen (Eq. 9, 10).
at::Tensor trusty_paper(const at::Tensor& logits, const at::Tensor& familiar) {
  const at::Tensor labelled = familiar.ge(0).flatten(1).to(at::kFloat);
  const at::Tensor target = familiar.eq(1).flatten(1).to(at::kFloat);
  return dice(logits.sigmoid().flatten(1) * labelled, target).mean();
}

}  // namespace

FieldList LossConfig::fields() {
  constexpr Range weight{0, 1e6};
  FieldList list;
  list.add("mask_weight", mask_weight, weight, "alpha: weight of the focal term (ZegCLIP: 100)");
  list.add("dice_weight", dice_weight, weight, "beta: weight of the overlap term");
  list.add("trusty_weight", trusty_weight, weight, "gamma: weight of the trusty term");
  list.add("presence_weight", presence_weight, weight, "weight of the paper's classification term");
  list.add("overlap", overlap, {{"dice", OverlapLoss::kDice}, {"tversky", OverlapLoss::kTversky}},
           "overlap term; tversky is kept as released, with its sign error");
  return list;
}

at::Tensor Losses::total() const {
  at::Tensor sum = mask + dice;
  if (trusty.defined()) sum = sum + trusty;
  if (presence.defined()) sum = sum + presence;
  return sum;
}

int64_t count_masks(const at::Tensor& labels, int64_t classes) {
  return binary_masks(labels, classes).flatten(2).amax(2).sum().item<int64_t>();
}

Losses segmentation_losses(const MaskLogits& logits, const Targets& targets, double num_masks,
                           Protocol protocol, const LossConfig& config) {
  TAGCLIP_CHECK(num_masks >= 1, "num_masks is at least 1");
  const at::Tensor maps = upsample(logits.classes, targets.labels);     // [B, C, H, W]
  const at::Tensor masks = binary_masks(targets.labels, maps.size(1));  // [B, C, H, W]
  const at::Tensor present = masks.flatten(2).amax(2);                  // [B, C]

  Losses losses;
  losses.mask = config.mask_weight / num_masks * focal(maps, masks).mean({2, 3}).sum();

  const at::Tensor where = present.flatten().nonzero().squeeze(1);
  const at::Tensor p = maps.sigmoid().flatten(2).flatten(0, 1).index_select(0, where);
  const at::Tensor t = masks.flatten(2).flatten(0, 1).index_select(0, where);
  const at::Tensor overlap = config.overlap == OverlapLoss::kDice ? dice(p, t) : tversky(p, t);
  losses.dice = config.dice_weight / num_masks * overlap.sum();

  if (logits.trusty.defined()) {
    const at::Tensor map = upsample(logits.trusty, targets.labels);  // [B, 1, H, W]
    losses.trusty = config.trusty_weight * (protocol == Protocol::kReleased
                                                ? trusty_released(map, targets.familiar, num_masks)
                                                : trusty_paper(map, targets.familiar));
  }
  if (logits.presence.defined()) {
    losses.presence =
        config.presence_weight * at::binary_cross_entropy_with_logits(logits.presence, present);
  }
  return losses;
}

}  // namespace tagclip
