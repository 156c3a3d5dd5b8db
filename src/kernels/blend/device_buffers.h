#pragma once

#include "kernels/blend/blend.h"
#include "kernels/blend/device.h"

namespace tagclip {

// Computes `blend` of logits on a GPU. Without CUDA in the build (device_buffers_cpu.cc) it works
// on copies of them on the CPU.
BestClass gpu_blend(const WindowLogits& logits, const WindowLayout& layout, const ScoreRule& rule,
                    Extent image);

// The memory that BlendParams points to, on the device of the logits. On the CPU for tests.
class BlendBuffers {
 public:
  BlendBuffers(const WindowLogits& logits, const WindowLayout& layout, const ScoreRule& rule,
               Extent image);

  BlendParams params() const;

  // Copies the results to the CPU, once the kernel has run.
  BestClass result() const;

 private:
  WindowLayout layout_;
  Extent image_;
  bool softmax_, trusty_means_seen_;
  at::Tensor classes_, trusty_, presence_;  // as in BlendParams; undefined: nullptr
  at::Tensor corners_, seen_bias_, weight_;
  at::Tensor labels_, scores_;
};

}  // namespace tagclip
