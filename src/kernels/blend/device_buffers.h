#pragma once

#include "kernels/blend/blend.h"
#include "kernels/blend/device.h"

namespace tagclip {

// The memory of a BlendTask, where the logits are.
class BlendBuffers {
 public:
  BlendBuffers(const WindowLogits& logits, const WindowLayout& layout, const ScoreRule& rule,
               Extent photo);

  BlendTask task() const;

  // What the tiles have left.
  BestClass result() const;

 private:
  WindowLayout layout_;
  Extent photo_;
  bool softmax_, trusty_means_seen_;
  at::Tensor classes_, trusty_, presence_;  // as of BlendTask; undefined: nullptr
  at::Tensor corners_, deduction_, weight_;
  at::Tensor labels_, scores_;
};

// Runs the kernel on `stream`.
void run_on_gpu(const BlendTask& task, struct CUstream_st* stream);

}  // namespace tagclip
