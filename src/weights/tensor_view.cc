#include "weights/tensor_view.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

#include "base/error.h"

namespace tagclip {
namespace {

struct DTypeInfo {
  DType dtype;
  std::string_view name;
  size_t size;
};

constexpr auto kDTypes = std::to_array<DTypeInfo>({
    {DType::kF64, "F64", 8},
    {DType::kF32, "F32", 4},
    {DType::kF16, "F16", 2},
    {DType::kBF16, "BF16", 2},
    {DType::kI64, "I64", 8},
    {DType::kI32, "I32", 4},
    {DType::kI16, "I16", 2},
    {DType::kI8, "I8", 1},
    {DType::kU64, "U64", 8},
    {DType::kU32, "U32", 4},
    {DType::kU16, "U16", 2},
    {DType::kU8, "U8", 1},
    {DType::kBool, "BOOL", 1},
    {DType::kF8E4M3, "F8_E4M3", 1},
    {DType::kF8E5M2, "F8_E5M2", 1},
    {DType::kF8E4M3Fnuz, "F8_E4M3FNUZ", 1},
    {DType::kF8E5M2Fnuz, "F8_E5M2FNUZ", 1},
    {DType::kF8E8M0, "F8_E8M0", 1},
    {DType::kC64, "C64", 8},
    {DType::kC128, "C128", 16},
});

const DTypeInfo& info_of(DType dtype) {
  const auto found = std::ranges::find(kDTypes, dtype, &DTypeInfo::dtype);
  TAGCLIP_CHECK(found != kDTypes.end(), "element type outside the enumeration");
  return *found;
}

}  // namespace

size_t size_of(DType dtype) { return info_of(dtype).size; }

std::string_view to_string(DType dtype) { return info_of(dtype).name; }

bool is_weight_type(DType dtype) {
  return dtype == DType::kF64 || dtype == DType::kF32 || dtype == DType::kF16 ||
         dtype == DType::kBF16;
}

std::optional<DType> parse_dtype(std::string_view name) {
  const auto found = std::ranges::find(kDTypes, name, &DTypeInfo::name);
  if (found == kDTypes.end()) return std::nullopt;
  return found->dtype;
}

std::string shape_text(std::span<const int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

std::optional<uint64_t> checked_bytes(DType dtype, const std::vector<int64_t>& shape) {
  auto bytes = static_cast<int64_t>(size_of(dtype));
  for (const int64_t dimension : shape) {
    if (dimension < 0) return std::nullopt;
    if (__builtin_mul_overflow(bytes, dimension, &bytes)) return std::nullopt;
  }
  return static_cast<uint64_t>(bytes);
}

int64_t TensorView::numel() const {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

namespace {

// A number is NaN or infinite where all bits of its exponent are set.
template <class Bits>
int64_t first_with_full_exponent(Bits exponent, const std::byte* data, int64_t count) {
  const auto at = [data](int64_t i) {
    Bits bits;
    std::memcpy(&bits, data + i * sizeof bits, sizeof bits);
    return bits;
  };
  constexpr int64_t kBlock = 4096;  // elements; the loop over a block has no branch
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    const int64_t end = std::min(count, begin + kBlock);
    Bits found = 0;
    for (int64_t i = begin; i < end; ++i) {
      found |= static_cast<Bits>((at(i) & exponent) == exponent);
    }
    if (found == 0) continue;
    for (int64_t i = begin; i < end; ++i) {
      if ((at(i) & exponent) == exponent) return i;
    }
  }
  return -1;
}

}  // namespace

int64_t first_non_finite(DType dtype, const std::byte* data, int64_t count) {
  switch (dtype) {
    case DType::kF64:
      return first_with_full_exponent<uint64_t>(0x7FF0'0000'0000'0000, data, count);
    case DType::kF32:
      return first_with_full_exponent<uint32_t>(0x7F80'0000, data, count);
    case DType::kF16:
      return first_with_full_exponent<uint16_t>(0x7C00, data, count);
    case DType::kBF16:
      return first_with_full_exponent<uint16_t>(0x7F80, data, count);
    default:
      TAGCLIP_CHECK(false, "not an element type of weights");
  }
}

std::string_view non_finite_name(DType dtype, const std::byte* element) {
  const int mantissa = dtype == DType::kF64   ? 52
                       : dtype == DType::kF32 ? 23
                       : dtype == DType::kF16 ? 10
                                              : 7;
  uint64_t bits = 0;
  std::memcpy(&bits, element, size_of(dtype));  // both are little-endian
  if ((bits & ((uint64_t{1} << mantissa) - 1)) != 0) return "NaN";
  return (bits >> (8 * size_of(dtype) - 1)) != 0 ? "-infinity" : "infinity";
}

}  // namespace tagclip
