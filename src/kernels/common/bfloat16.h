#pragma once

#include <ATen/ATen.h>

#include <bit>
#include <cstdint>
#include <type_traits>

namespace tagclip {

// Conversions between float and bfloat16, which is the upper half of a float. The loops of the
// kernels handle bfloat16 as uint16_t, because compilers vectorise these conversions.

// Rounds to the nearest bfloat16, ties to even.
inline uint16_t to_bfloat16(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  return static_cast<uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

inline float from_bfloat16(uint16_t x) { return std::bit_cast<float>(uint32_t{x} << 16); }

// Splits x into the sum of two bfloat16, high + low, which keeps 16 bits of its significand.
inline void split_bfloat16(float x, uint16_t& high, uint16_t& low) {
  high = to_bfloat16(x);
  low = to_bfloat16(x - from_bfloat16(high));
}

// Loops over one row of n numbers. Ranges do not overlap.
void to_bfloat16_row(const float* x, int64_t n, uint16_t* out);
void from_bfloat16_row(const uint16_t* x, int64_t n, float* out);
void split_bfloat16_row(const float* x, int64_t n, uint16_t* high, uint16_t* low);
// out = factor x
void scale_row(const float* x, float factor, int64_t n, float* out);
void scale_row(const float* x, float factor, int64_t n, uint16_t* out);

// The data of a bfloat16 tensor.
inline uint16_t* bfloat16_data(const at::Tensor& tensor) {
  return reinterpret_cast<uint16_t*>(tensor.mutable_data_ptr<at::BFloat16>());
}

// The data of a float tensor, or of a bfloat16 one for T = uint16_t.
template <typename T>
T* data_of(const at::Tensor& tensor) {
  if constexpr (std::is_same_v<T, float>) {
    return tensor.mutable_data_ptr<float>();
  } else {
    return bfloat16_data(tensor);
  }
}

}  // namespace tagclip
