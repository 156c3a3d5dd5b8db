#include "serve/http/base64.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cctype>
#include <limits>

namespace tagclip {

std::optional<std::string> from_base64(std::string_view text) {
  if (text.empty()) return std::string();
  if (text.size() % 4 != 0 || text.size() > std::numeric_limits<int>::max()) return {};
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  // OpenSSL would pass over blanks and dashes.
  const auto is_digit = [](unsigned char c) { return std::isalnum(c) || c == '+' || c == '/'; };
  if (!std::ranges::all_of(text.substr(0, text.size() - padding), is_digit)) return {};
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size = ::EVP_DecodeBlock(reinterpret_cast<uint8_t*>(bytes.data()),
                                     reinterpret_cast<const uint8_t*>(text.data()),
                                     static_cast<int>(text.size()));
  if (size < 0) return {};
  bytes.resize(bytes.size() - padding);
  return bytes;
}

}  // namespace tagclip
