#pragma once

#include <ATen/ATen.h>

#include "kernels/linear/precision.h"

namespace tagclip {

// softmax(q k' / sqrt(D / heads)) v for every head, without an [L, L] matrix in memory.
//
// qkv [B, L, 3 D] of storage_type(precision): queries, keys and values side by side, as the input
// projection returns them. prefix_kv [P, 2 D] of the same type: keys and values that every row
// attends to as well (prefix tuning); undefined: none. out [B, L, D] of the same type. Sums and
// exponentials are float32; kInt8 computes in bfloat16.
void attention(const at::Tensor& qkv, const at::Tensor& prefix_kv, int64_t heads,
               GemmPrecision precision, at::Tensor& out);

// The same in LibTorch's operations, with the [L, L + P] matrices in memory.
at::Tensor reference_attention(const at::Tensor& qkv, const at::Tensor& prefix_kv, int64_t heads);

}  // namespace tagclip
