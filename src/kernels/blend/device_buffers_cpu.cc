#include "kernels/blend/device_buffers.h"

namespace tagclip {

BestClass gpu_blend(const WindowLogits& logits, const WindowLayout& layout, const ScoreRule& rule,
                    Extent image) {
  const auto on_cpu = [](const at::Tensor& part) { return part.defined() ? part.cpu() : part; };
  return blend({on_cpu(logits.classes), on_cpu(logits.trusty), on_cpu(logits.presence)}, layout,
               rule, image);
}

}  // namespace tagclip
