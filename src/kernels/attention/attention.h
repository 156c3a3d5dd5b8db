#pragma once

#include <ATen/ATen.h>

#include "kernels/linear/precision.h"

namespace tagclip {

// softmax(q k' / sqrt(D / heads)) v of every head, without the matrix of all pairs in memory.
//
// qkv [B, L, 3 D], storage_type(precision): queries, keys and values side by side, as packed
// projections put them out. Rows attend to `also`, [P, 2 D] keys and values of the same type, too;
// undefined: none. out [B, L, D], of the same type. Sums and exponentials are float32; int8 is
// bfloat16 here.
void attention(const at::Tensor& qkv, const at::Tensor& also, int64_t heads,
               GemmPrecision precision, at::Tensor& out);

// The same in LibTorch's operations, all pairs in memory.
at::Tensor reference_attention(const at::Tensor& qkv, const at::Tensor& also, int64_t heads);

}  // namespace tagclip
