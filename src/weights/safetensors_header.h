#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weights/safetensors.h"

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

}  // namespace tagclip
