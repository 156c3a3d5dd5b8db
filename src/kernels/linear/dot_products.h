#pragma once

#include <cstdint>

namespace tagclip {

// Products of small blocks by the dot-product instructions of AVX-512: BF16 (vdpbf16ps) for
// bfloat16, VNNI (vpdpbusd) for int8. uint16_t holds bfloat16.

// True if this processor has them, and ONEDNN_MAX_CPU_ISA, where it is set, names no older kind.
bool has_bfloat16_dot();
bool has_int8_dot();

// The matrices of one product; their rows lie `*_stride` numbers apart, those of b groups of them.
template <typename T, typename Sum>
struct ProductOperands {
  const T* a;  // [M, K]
  const T* b;  // [K / g, N, g]; g numbers are 4 bytes
  Sum* c;      // [M, N]
  int64_t a_stride, b_stride, c_stride;
};

// c = a b, or c += a b. K counts whole groups. Only where the processor has the instructions.
void multiply_by_dot(int64_t M, int64_t N, int64_t K, const ProductOperands<uint16_t, float>& p,
                     bool accumulate);
// Exact: the sums of |K| products of bytes do not overflow below 130,000 terms.
void multiply_by_dot(int64_t M, int64_t N, int64_t K, const ProductOperands<int8_t, int32_t>& p,
                     bool accumulate);

}  // namespace tagclip
