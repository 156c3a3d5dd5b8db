#pragma once

#include <ATen/ATen.h>

#include "kernels/common/bilinear.h"

namespace tagclip {

// Matrix products of the processor's matrix units, by oneDNN's brgemm as LibTorch has it.

// Rows [N, K] as the right-hand side B' of products, in panels of `panel` rows of B, the last one
// padded with zeros: [N / panel, K / g, panel, g], g numbers being 4 bytes.
at::Tensor pack_panels(const at::Tensor& rows, int64_t panel);

enum class Beta { kZero, kOne };

// C = A B', or C += A B', of A's rows `part` [., K] and a panel: [part, panel], one row behind the
// other; float, of int8 int32.
void multiply_panel(const at::Tensor& a, Interval part, const at::Tensor& panels, int64_t panel,
                    Beta beta, at::Tensor& c);

// What a product reads and writes; rows of each lie `*_stride` apart.
template <typename T, typename Sum>
struct ProductOperands {
  const T* a;  // [M, K]
  const T* b;  // [K / g, N, g]
  Sum* c;      // [M, N]
  int64_t a_stride, b_stride, c_stride;
};

// c = a b, or c += a b
void multiply(int64_t M, int64_t N, int64_t K, const ProductOperands<float, float>& p,
              Beta beta = Beta::kZero);
void multiply(int64_t M, int64_t N, int64_t K, const ProductOperands<at::BFloat16, float>& p,
              Beta beta = Beta::kZero);
void multiply(int64_t M, int64_t N, int64_t K, const ProductOperands<int8_t, int32_t>& p,
              Beta beta = Beta::kZero);

// To be called by a thread that is done with products of this type: others may use its units.
void release_matrix_units(at::ScalarType type);

}  // namespace tagclip
