#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weights/safetensors.h"

namespace tagclip {

inline constexpr uint64_t kMaxSafetensorsHeader = 100'000'000;  // bytes
inline constexpr size_t kSafetensorsLengthBytes = 8;            // little-endian, before the header
inline constexpr std::string_view kMetadataKey = "__metadata__";

// One tensor of a safetensors header, before its offsets are checked.
struct TensorFields {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;               // none is negative
  std::pair<uint64_t, uint64_t> offsets{};  // begin and end, relative to the end of the header
};

struct HeaderFields {
  Metadata metadata;
  std::vector<TensorFields> tensors;  // as written; names may repeat
};

// Reads the JSON text of a header. Memory stays within a few times the length of `text`.
// Throws Error(kBadInput) for what is no JSON, holds anything but the known fields, twice or of the
// wrong type, or an element type that is not in DType. `file` is the name in messages.
HeaderFields parse_header_fields(std::string_view text, const std::string& file);

}  // namespace tagclip
