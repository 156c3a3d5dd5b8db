#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/safetensors.h"

namespace tagclip {

inline constexpr uint64_t kMaxSafetensorsHeader = 100'000'000;  // bytes
inline constexpr size_t kSafetensorsLengthBytes = 8;            // little-endian, before the header
inline constexpr std::string_view kMetadataKey = "__metadata__";

struct SafetensorsHeader {
  Metadata metadata;
  std::vector<TensorView> tensors;  // views into the file's bytes, in the order of their data
};

// Reads and checks the header of the file `bytes`; see SafetensorsFile for the rules.
SafetensorsHeader parse_safetensors_header(std::span<const std::byte> bytes,
                                           const std::string& name);

// The element type of that name in a header: "F32".
std::optional<DType> parse_dtype(std::string_view name);

// Bytes of a tensor; nothing when a dimension is negative or the product leaves 64 bits.
std::optional<uint64_t> checked_bytes(DType dtype, const std::vector<int64_t>& shape);

}  // namespace tagclip
