#include "kernels/mask_loss/device_buffers.h"
#include "kernels/mask_loss/reference.h"

namespace tagclip {

MaskSums gpu_mask_sums(const at::Tensor& logits, const at::Tensor& labels) {
  return labels.scalar_type() == at::kChar ? reference_binary_mask_sums(logits, labels)
                                           : reference_mask_sums(logits, labels);
}

}  // namespace tagclip
