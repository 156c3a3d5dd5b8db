#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "kernels/blend/device_buffers.h"

namespace tagclip {

BestClass gpu_blend(const WindowLogits& logits, const WindowLayout& layout, const ScoreRule& rule,
                    Extent image) {
  const c10::cuda::CUDAGuard device(logits.classes.device());
  const BlendBuffers buffers(logits, layout, rule, image);
  launch_blend(buffers.params(), c10::cuda::getCurrentCUDAStream());
  return buffers.result();
}

}  // namespace tagclip
