#pragma once

#include <ATen/ATen.h>

#include "kernels/common/bilinear.h"

namespace tagclip {

// Products of small blocks by LibTorch's brgemm (batch-reduce GEMM of oneDNN). brgemm.cc is the
// only file that uses the internals of at::native.

// True if brgemm multiplies numbers of this type on this processor: bfloat16 and int8 need AMX.
bool has_brgemm(at::ScalarType type);

// Packs rows [N, K] as the right-hand side B' of products, in panels of `panel` rows of B, the last
// one padded with zeros: [N / panel, K / g, panel, g], g numbers being 4 bytes (VNNI order).
at::Tensor pack_panels(const at::Tensor& rows, int64_t panel);

// C = A B + beta C
enum class Beta { kZero, kOne };

// Multiplies rows `part` of a [., K] by one panel: c [part, panel], contiguous; float, for int8
// int32.
void multiply_panel(const at::Tensor& a, Interval part, const at::Tensor& panels, int64_t panel,
                    Beta beta, at::Tensor& c);

// The matrices of one product; their rows lie `*_stride` numbers apart.
template <typename T, typename Sum>
struct ProductOperands {
  const T* a;  // [M, K]
  const T* b;  // [K / g, N, g]
  Sum* c;      // [M, N]
  int64_t a_stride, b_stride, c_stride;
};

void multiply(int64_t M, int64_t N, int64_t K, const ProductOperands<float, float>& p,
              Beta beta = Beta::kZero);
void multiply(int64_t M, int64_t N, int64_t K, const ProductOperands<at::BFloat16, float>& p,
              Beta beta = Beta::kZero);
void multiply(int64_t M, int64_t N, int64_t K, const ProductOperands<int8_t, int32_t>& p,
              Beta beta = Beta::kZero);

// Releases the AMX tiles of the calling thread, after its last product of this type.
void release_brgemm(at::ScalarType type);

}  // namespace tagclip
