#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tagclip {

// Weights are of the first four; all others are read so that they can be named.
enum class DType {
  kF64,
  kF32,
  kF16,
  kBF16,
  kI64,
  kI32,
  kI16,
  kI8,
  kU64,
  kU32,
  kU16,
  kU8,
  kBool,
  kF8E4M3,
  kF8E5M2,
  kF8E4M3Fnuz,
  kF8E5M2Fnuz,
  kF8E8M0,
  kC64,
  kC128,
};

size_t size_of(DType dtype);              // bytes of one element
std::string_view to_string(DType dtype);  // the name in a safetensors header: "F32", "BF16", ...
bool is_weight_type(DType dtype);         // float64, float32, float16 or bfloat16

// The element type of that name: "F32".
std::optional<DType> parse_dtype(std::string_view name);

// Writes a shape as messages do: "[2, 3]".
std::string shape_text(std::span<const int64_t> shape);

// Returns a tensor's bytes; nothing when a dimension is negative or the product passes 2^63.
std::optional<uint64_t> checked_bytes(DType dtype, const std::vector<int64_t>& shape);

// Says where a tensor of a file lies and how to read it. Row-major, little-endian, not necessarily
// aligned to its element size (files of `write_safetensors` are).
struct TensorView {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;  // empty for a scalar; a dimension may be 0
  std::span<const std::byte> data;

  int64_t numel() const;  // product of the shape
};

// The place of the first NaN or infinity among `count` elements at `data`, which need not be
// aligned; -1 where all are finite. Only for the types of weights.
int64_t first_non_finite(DType dtype, const std::byte* data, int64_t count);

// What such an element is: "NaN", "infinity" or "-infinity".
std::string_view non_finite_name(DType dtype, const std::byte* element);

}  // namespace tagclip
