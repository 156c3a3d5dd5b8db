#include "kernels/linear/precision.h"

#include <array>
#include <iterator>
#include <mutex>

#include "base/error.h"
#include "kernels/linear/block_products.h"
#include "kernels/linear/onednn.h"

namespace tagclip {
namespace {

GemmSupport find_support(GemmPrecision precision) {
  const at::ScalarType type = operand_type(precision);
  if (precision == GemmPrecision::kBFloat16x3 && !has_amx(type)) {
    return {std::nullopt,
            "the precision bfloat16x3 needs a processor with AMX: without it three "
            "products of bfloat16 take longer than one of float32"};
  }
  if (has_block_products(type)) return {GemmBackend::kBlocks, {}};
  std::string reason = onednn_unsupported_reason(precision);
  if (reason.empty()) return {GemmBackend::kMatmul, {}};
  return {std::nullopt, std::move(reason)};
}

}  // namespace

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
  TAGCLIP_CHECK(false, "not a GemmPrecision");
}

GemmPrecision parse_precision(std::string_view word) {
  for (const GemmPrecision precision : kGemmPrecisions) {
    if (word == name_of(precision)) return precision;
  }
  throw usage_error("there is no precision called '" + std::string(word) + "'",
                    "one of auto, float32, bfloat16x3, bfloat16, int8");
}

const GemmSupport& gemm_support(GemmPrecision precision) {
  static std::array<GemmSupport, std::size(kGemmPrecisions)> found;
  static std::array<std::once_flag, std::size(kGemmPrecisions)> once;
  const auto i = static_cast<size_t>(precision);
  std::call_once(once[i], [&] { found[i] = find_support(precision); });
  return found[i];
}

void check_runs_here(GemmPrecision precision, at::Device device) {
  if (!device.is_cpu()) {
    throw usage_error("the precision " + std::string(name_of(precision)) + " is for CPUs",
                      "leave the precision at its default, or compute on the device cpu");
  }
  const GemmSupport& support = gemm_support(precision);
  if (!support.backend) {
    throw usage_error(support.reason, "set the precision to auto or float32");
  }
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
