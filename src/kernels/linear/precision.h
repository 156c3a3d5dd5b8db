#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <string>
#include <string_view>

namespace tagclip {

// The number formats of matrix products. Accumulation, layer norms and the residual stream are
// float32 with all of them.
enum class GemmPrecision {
  kFloat32,
  kBFloat16x3,  // each factor a sum of two bfloat16, high + low: three products, nearly float32
  kBFloat16,
  kInt8,  // weights: one scale per row; activations: one dynamic scale per token
};

inline constexpr GemmPrecision kGemmPrecisions[] = {GemmPrecision::kFloat32,
                                                    GemmPrecision::kBFloat16x3,
                                                    GemmPrecision::kBFloat16, GemmPrecision::kInt8};

// "float32", "bfloat16x3", "bfloat16", "int8".
std::string_view name_of(GemmPrecision precision);
// Throws Error(kUsage) for another word.
GemmPrecision parse_precision(std::string_view word);

// The routine that multiplies.
enum class GemmBackend {
  kBlocks,  // products of blocks: see block_products.h
  kMatmul,  // oneDNN's product of whole matrices: bfloat16 and int8 where blocks have none
};

// The routine that multiplies in a precision on this processor, or the reason why none does.
struct GemmSupport {
  std::optional<GemmBackend> backend;
  std::string reason;  // a clause without a full stop; empty where there is a backend
};

// Found out by the first call for each precision, which multiplies small matrices where oneDNN is
// needed. Safe to call from several threads.
const GemmSupport& gemm_support(GemmPrecision precision);

inline bool runs_here(GemmPrecision precision) {
  return gemm_support(precision).backend.has_value();
}
// Throws Error(kUsage) with the reason where the precision does not run, and for devices other than
// the CPU.
void check_runs_here(GemmPrecision precision, at::Device device = at::kCPU);

// The type of the factors of products: float, bfloat16 or int8.
at::ScalarType operand_type(GemmPrecision precision);
// The type of activations between products: float or bfloat16.
at::ScalarType storage_type(GemmPrecision precision);

}  // namespace tagclip
