#pragma once

#include <ATen/ATen.h>

#include <string_view>

namespace tagclip {

// In what numbers matrix products are made. Sums, normalisations and what blocks add up stay in
// float32 with each of them.
enum class GemmPrecision {
  kFloat32,
  kBFloat16x3,  // each number the sum of two bfloat16: three products, nearly float32's result
  kBFloat16,
  kInt8,  // of weights a scale a row, of activations a scale a token, found as they come
};

inline constexpr GemmPrecision kGemmPrecisions[] = {GemmPrecision::kFloat32,
                                                    GemmPrecision::kBFloat16x3,
                                                    GemmPrecision::kBFloat16, GemmPrecision::kInt8};

// "float32", "bfloat16x3", "bfloat16", "int8".
std::string_view name_of(GemmPrecision precision);
// Throws Error(kUsage) for another word.
GemmPrecision parse_precision(std::string_view word);

// Whether this processor has instructions for such products.
bool runs_here(GemmPrecision precision);
// Throws Error(kUsage) where it has not, and for any other device than a CPU.
void check_runs_here(GemmPrecision precision, at::Device device = at::kCPU);

// What matrix products of a precision read: float, bfloat16 or int8.
at::ScalarType operand_type(GemmPrecision precision);
// What is kept between them: float, or bfloat16.
at::ScalarType storage_type(GemmPrecision precision);

}  // namespace tagclip
