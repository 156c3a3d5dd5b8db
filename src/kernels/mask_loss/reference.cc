#include "kernels/mask_loss/reference.h"

namespace tagclip {
namespace {

constexpr double kFocalAlpha = 0.25;

// Returns the sigmoid focal loss (L_focal of Eq. 11) with gamma 2, elementwise.
at::Tensor focal(const at::Tensor& logits, const at::Tensor& target) {
  const at::Tensor p = logits.sigmoid();
  const at::Tensor entropy =
      at::binary_cross_entropy_with_logits(logits, target, {}, {}, at::Reduction::None);
  const at::Tensor miss = p + target - 2 * p * target;  // 1 - p_t
  const at::Tensor alpha = (1 - kFocalAlpha) + (2 * kFocalAlpha - 1) * target;
  return alpha * entropy * miss * miss;
}

at::Tensor upsample(const at::Tensor& logits, const at::Tensor& labels) {
  if (logits.size(2) == labels.size(1) && logits.size(3) == labels.size(2)) return logits;
  return at::upsample_bilinear2d(logits, {labels.size(1), labels.size(2)}, /*align_corners=*/false);
}

// Returns a mask of 0 and 1 per class: labels [B, H, W] -> [B, C, H, W].
at::Tensor binary_masks(const at::Tensor& labels, int64_t classes, at::ScalarType type) {
  const at::Tensor index = at::arange(classes, labels.options()).view({1, classes, 1, 1});
  return labels.unsqueeze(1).eq(index).to(type);
}

}  // namespace

MaskSums reference_mask_sums(const at::Tensor& logits, const at::Tensor& labels) {
  const at::Tensor maps = upsample(logits, labels);                                 // [B, C, H, W]
  const at::Tensor masks = binary_masks(labels, maps.size(1), maps.scalar_type());  // [B, C, H, W]
  const at::Tensor target = masks.sum({2, 3});                                      // [B, C]

  // Only maps with a target are read: [maps, H W].
  const at::Tensor present = target.flatten().nonzero().squeeze(1);
  const at::Tensor p = maps.sigmoid().flatten(2).flatten(0, 1).index_select(0, present);
  const at::Tensor t = masks.flatten(2).flatten(0, 1).index_select(0, present);
  const auto to_all_maps = [&](const at::Tensor& sums) {
    return at::zeros_like(target).flatten().index_copy(0, present, sums).view_as(target);
  };
  return {.focal = focal(maps, masks).sum({2, 3}),
          .intersection = to_all_maps((p * t).sum(-1)),
          .prediction = to_all_maps(p.sum(-1)),
          .target = target};
}

MaskSums reference_binary_mask_sums(const at::Tensor& logits, const at::Tensor& targets) {
  const at::Tensor map = upsample(logits, targets);                             // [B, 1, H, W]
  const at::Tensor mask = targets.eq(1).unsqueeze(1).to(map.scalar_type());     // [B, 1, H, W]
  const at::Tensor counted = targets.ge(0).unsqueeze(1).to(map.scalar_type());  // [B, 1, H, W]
  const at::Tensor p = map.sigmoid() * counted;
  return {.focal = focal(map, mask).sum({2, 3}),
          .intersection = (p * mask).sum({2, 3}),
          .prediction = p.sum({2, 3}),
          .target = mask.sum({2, 3})};
}

}  // namespace tagclip
