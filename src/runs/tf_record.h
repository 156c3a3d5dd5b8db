#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tagclip {

// A record of a TFRecord file: the length of `data` in 8 bytes, their checksum, `data`, its
// checksum; numbers are little-endian.
std::string tf_record(std::string_view data);

// CRC-32C, masked as TFRecord stores it.
uint32_t masked_crc32c(std::string_view data);

}  // namespace tagclip
