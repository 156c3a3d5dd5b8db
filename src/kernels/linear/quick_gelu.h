#pragma once

#include <ATen/ATen.h>

namespace tagclip {

// x sigmoid(1.702 x), of any shape. On a CPU one pass there and one back, for which x alone is
// kept.
at::Tensor quick_gelu(const at::Tensor& x);

// The same in LibTorch's operations.
at::Tensor reference_quick_gelu(const at::Tensor& x);

}  // namespace tagclip
