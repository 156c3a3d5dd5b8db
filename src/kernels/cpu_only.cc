#include "kernels/gpu_kernels.h"

namespace tagclip {

MaskSums gpu_mask_sums(const at::Tensor& logits, const at::Tensor& labels) {
  return labels.scalar_type() == at::kChar ? plain_binary_mask_sums(logits, labels)
                                           : plain_mask_sums(logits, labels);
}

BestClass gpu_blend(const WindowLogits& logits, const WindowLayout& layout, const ScoreRule& rule,
                    Extent photo) {
  const auto on_cpu = [](const at::Tensor& part) { return part.defined() ? part.cpu() : part; };
  return blend({on_cpu(logits.classes), on_cpu(logits.trusty), on_cpu(logits.presence)}, layout,
               rule, photo);
}

}  // namespace tagclip
