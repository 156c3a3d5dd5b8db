#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tagclip {

enum class DType { kF64, kF32, kF16, kBF16, kI64, kI32, kI16, kI8, kU8, kBool };

size_t size_of(DType dtype);              // bytes of one element
std::string_view to_string(DType dtype);  // the name in a safetensors header: "F32", "BF16", ...

// The element type of that name: "F32".
std::optional<DType> parse_dtype(std::string_view name);

// Writes a shape as messages do: "[2, 3]".
std::string shape_text(std::span<const int64_t> shape);

// Bytes of a tensor; nothing when a dimension is negative or the product passes 2^63.
std::optional<uint64_t> checked_bytes(DType dtype, const std::vector<int64_t>& shape);

// One tensor of a file: where it lies and how to read it. Row-major, little-endian, not necessarily
// aligned to its element size (files of `write_safetensors` are).
struct TensorView {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;  // empty for a scalar; a dimension may be 0
  std::span<const std::byte> data;

  int64_t numel() const;  // product of the shape
};

}  // namespace tagclip
