#pragma once

#include <ATen/ATen.h>

namespace tagclip {

// QuickGELU, x sigmoid(1.702 x), of any shape, with gradient. Contiguous float and bfloat16 tensors
// on the CPU take one pass forward and one backward, and only x is kept for the gradient; all
// others take the reference.
at::Tensor quick_gelu(const at::Tensor& x);

// The same in LibTorch's operations.
at::Tensor reference_quick_gelu(const at::Tensor& x);

}  // namespace tagclip
