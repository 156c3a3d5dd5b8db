#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "kernels/mask_loss/device_buffers.h"

namespace tagclip {

MaskSums gpu_mask_sums(const at::Tensor& logits, const at::Tensor& labels) {
  const c10::cuda::CUDAGuard device(logits.device());
  const MaskLossBuffers buffers(logits, labels);
  const cudaStream_t stream = c10::cuda::getCurrentCUDAStream();
  if (labels.scalar_type() == at::kChar) {
    launch_mask_loss(buffers.params<int8_t>(), stream);
  } else {
    launch_mask_loss(buffers.params<int64_t>(), stream);
  }
  return with_gradients(logits, buffers.maps());
}

}  // namespace tagclip
