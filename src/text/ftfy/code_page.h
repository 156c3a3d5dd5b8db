#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tagclip {

// It stands for a character that was lost.
inline constexpr char32_t kReplacement = 0xFFFD;

// A single-byte encoding that UTF-8 gets mistaken for. The lower half is ASCII; a byte left
// undefined stands for the control character of its own number, as in browsers.
class CodePage {
 public:
  // The byte for U+FFFD in pages that can encode it: it marks a byte that was lost.
  static constexpr char kLostByte = 0x1A;

  CodePage(const std::array<char32_t, 256>& characters, bool encodes_losses);

  bool encodes_losses() const { return encodes_losses_; }

  char32_t decode(uint8_t byte) const { return characters_[byte]; }

  bool has(char32_t c) const { return bytes_.contains(c); }

  // Returns nothing when a character is missing in the encoding.
  std::optional<std::string> encode(std::u32string_view text) const;

 private:
  std::array<char32_t, 256> characters_;
  bool encodes_losses_;
  std::unordered_map<char32_t, char> bytes_;
};

// Returns Latin-1, six of Windows, Latin-2, those of MacOS and DOS; likeliest mistake first.
std::span<const CodePage> mistaken_code_pages();

// Returns the first eight of them, without MacOS and DOS.
std::span<const CodePage> windows_code_pages();

const CodePage& windows_1252();

}  // namespace tagclip
