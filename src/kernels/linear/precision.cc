#include "kernels/linear/precision.h"

#include <string>

#include "base/error.h"
#include "kernels/linear/packed_linear.h"

namespace tagclip {

std::string_view name_of(GemmPrecision precision) {
  switch (precision) {
    case GemmPrecision::kFloat32:
      return "float32";
    case GemmPrecision::kBFloat16x3:
      return "bfloat16x3";
    case GemmPrecision::kBFloat16:
      return "bfloat16";
    case GemmPrecision::kInt8:
      return "int8";
  }
  TAGCLIP_CHECK(false, "no such precision");
}

GemmPrecision parse_precision(std::string_view word) {
  for (const GemmPrecision precision : kGemmPrecisions) {
    if (word == name_of(precision)) return precision;
  }
  throw usage_error("there is no precision called '" + std::string(word) + "'",
                    "one of auto, float32, bfloat16x3, bfloat16, int8");
}

bool runs_here(GemmPrecision precision) {
  return precision == GemmPrecision::kFloat32 || gemm_backend(precision).has_value();
}

void check_runs_here(GemmPrecision precision, at::Device device) {
  const std::string name(name_of(precision));
  if (!device.is_cpu()) {
    throw usage_error("the precision " + name + " is for CPUs",
                      "leave it out, or compute on the device cpu");
  }
  if (runs_here(precision)) return;
  throw usage_error("this processor has no instructions for matrices of " + name,
                    "leave --precision out, or give auto or float32");
}

at::ScalarType operand_type(GemmPrecision precision) {
  switch (precision) {
    case GemmPrecision::kFloat32:
      return at::kFloat;
    case GemmPrecision::kInt8:
      return at::kChar;
    default:
      return at::kBFloat16;
  }
}

at::ScalarType storage_type(GemmPrecision precision) {
  return precision == GemmPrecision::kFloat32 || precision == GemmPrecision::kBFloat16x3
             ? at::kFloat
             : at::kBFloat16;
}

}  // namespace tagclip
