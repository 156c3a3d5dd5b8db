#include "model/losses.h"

#include <vector>

#include "base/error.h"
#include "kernels/mask_loss/mask_loss.h"
#include "kernels/mask_loss/reference.h"

namespace tagclip {
namespace {

// Computes, per mask, 1 - (2 intersection + 1) / (prediction + target + 1).
at::Tensor dice(const MaskSums& sums) {
  return 1 - (2 * sums.intersection + 1) / (sums.prediction + sums.target + 1);
}

// The sums over pixels that the terms are made of.
struct PixelSums {
  MaskSums classes, trusty;
};

using SumMasks = MaskSums(const at::Tensor& logits, const at::Tensor& labels);

// The paper's trusty target is G_A (Eq. 9): 1 where the class is seen, 0 where it is unseen, and
// ignored pixels take no part. The released one is 1 where the unmasked label is unseen and 0
// everywhere else, ignored pixels included.
PixelSums pixel_sums(const MaskLogits& logits, const Targets& targets, Protocol protocol,
                     SumMasks* sum_classes, SumMasks* sum_trusty) {
  PixelSums sums{.classes = sum_classes(logits.classes, targets.labels), .trusty = {}};
  if (logits.trusty.defined()) {
    sums.trusty = sum_trusty(logits.trusty, protocol == Protocol::kReleased
                                                ? targets.seen_mask.eq(0).to(at::kChar)
                                                : targets.seen_mask);
  }
  return sums;
}

Losses weigh(const PixelSums& sums, const MaskLogits& logits, const Targets& targets,
             const at::Tensor& counted, Protocol protocol, const LossConfig& config) {
  const at::Tensor num_masks = counted.clamp_min(1);
  const auto pixels = static_cast<double>(targets.labels.size(1) * targets.labels.size(2));
  const at::Tensor present = sums.classes.target.gt(0);  // [B, C]

  Losses losses;
  losses.mask = config.mask_weight / pixels * sums.classes.focal.sum() / num_masks;
  losses.dice = config.dice_weight *
                dice(sums.classes).masked_fill(present.logical_not(), 0).sum() / num_masks;
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
  list.add("dice_weight", config.dice_weight, weight, "beta: weight of the dice term");
  list.add("trusty_weight", config.trusty_weight, weight, "gamma: weight of the trusty term");
  list.add("presence_weight", config.presence_weight, weight,
           "weight of the paper's classification term");
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
  // Columns 0 and C + 1 collect the ignored pixels.
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
    return reference_segmentation_losses(logits, targets, num_masks, protocol, config);
  }
  const PixelSums sums = pixel_sums(logits, targets, protocol, mask_sums, binary_mask_sums);
  return weigh(sums, logits, targets, num_masks, protocol, config);
}

Losses reference_segmentation_losses(const MaskLogits& logits, const Targets& targets,
                                     const at::Tensor& num_masks, Protocol protocol,
                                     const LossConfig& config) {
  const PixelSums sums =
      pixel_sums(logits, targets, protocol, reference_mask_sums, reference_binary_mask_sums);
  return weigh(sums, logits, targets, num_masks, protocol, config);
}

at::Tensor self_training_labels(const at::Tensor& logits, const at::Tensor& labels,
                                const at::Tensor& unseen) {
  TAGCLIP_CHECK(unseen.numel() > 0, "self-training needs unseen classes");
  const at::Tensor maps = logits.index_select(1, unseen);  // [B, U, h, w]
  std::vector<at::Tensor> pseudo;
  // Images are taken one at a time: the upsampled maps of a batch would take gigabytes.
  for (int64_t b = 0; b < labels.size(0); ++b) {
    const at::Tensor scores = at::upsample_bilinear2d(
        maps.narrow(0, b, 1), {labels.size(1), labels.size(2)}, /*align_corners=*/false);
    pseudo.push_back(unseen.index({scores.argmax(1)}));  // [1, H, W], the first of equals
  }
  return at::where(labels.eq(kHiddenClass), at::cat(pseudo), labels);
}

}  // namespace tagclip
