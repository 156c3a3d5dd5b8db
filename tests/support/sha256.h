#pragma once

#include <openssl/sha.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace tagclip {

// The SHA-256 of `data` in lower-case hexadecimal, for comparing with recorded digests.
inline std::string sha256_hex(std::span<const uint8_t> data) {
  std::array<uint8_t, SHA256_DIGEST_LENGTH> digest;
  SHA256(data.data(), data.size(), digest.data());
  std::string text;
  for (const uint8_t byte : digest) {
    constexpr const char* kDigits = "0123456789abcdef";
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace tagclip
