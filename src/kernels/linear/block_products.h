#pragma once

#include <ATen/ATen.h>

#include "kernels/common/bilinear.h"
#include "kernels/linear/dot_products.h"

namespace tagclip {

// Products of small blocks: by LibTorch's brgemm (batch-reduce GEMM of oneDNN), which takes
// bfloat16 and int8 where there is AMX, otherwise by dot_products.h. block_products.cc is the only
// file that uses the internals of at::native.

// True if oneDNN multiplies numbers of this type by AMX on this processor.
bool has_amx(at::ScalarType type);
// True if one of them multiplies numbers of this type on this processor.
bool has_block_products(at::ScalarType type);

// Packs rows [N, K] as the right-hand side B' of products, in panels of `panel` rows of B, the last
// one padded with zeros: [N / panel, K / g, panel, g], g numbers being 4 bytes (VNNI order).
at::Tensor pack_panels(const at::Tensor& rows, int64_t panel);

// C = A B + beta C
enum class Beta { kZero, kOne };

// Multiplies rows `part` of a [., K] by one panel: c [part, panel], contiguous; float, for int8
// int32.
void multiply_panel(const at::Tensor& a, Interval part, const at::Tensor& panels, int64_t panel,
                    Beta beta, at::Tensor& c);

void multiply(int64_t M, int64_t N, int64_t K, const ProductOperands<float, float>& p,
              Beta beta = Beta::kZero);
void multiply(int64_t M, int64_t N, int64_t K, const ProductOperands<at::BFloat16, float>& p,
              Beta beta = Beta::kZero);
void multiply(int64_t M, int64_t N, int64_t K, const ProductOperands<int8_t, int32_t>& p,
              Beta beta = Beta::kZero);

// Releases the AMX tiles of the calling thread, after its last product of this type.
void release_block_products(at::ScalarType type);

}  // namespace tagclip
