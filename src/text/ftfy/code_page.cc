#include "text/ftfy/code_page.h"

#include <unicode/ucnv.h>

#include <memory>
#include <vector>

#include "base/error.h"

namespace tagclip {
namespace {

using Characters = std::array<char32_t, 256>;

// `name` as ICU calls the encoding.
Characters characters_of(const char* name) {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<UConverter, decltype(&ucnv_close)> converter(ucnv_open(name, &status),
                                                                     &ucnv_close);
  TAGCLIP_CHECK(U_SUCCESS(status), std::string("ICU has no converter ") + name);
  Characters characters;
  for (int number = 0; number < 256; ++number) {
    const char byte = static_cast<char>(number);
    UChar decoded[2] = {};
    ucnv_toUChars(converter.get(), decoded, 2, &byte, 1, &status);
    TAGCLIP_CHECK(U_SUCCESS(status), u_errorName(status));
    const bool undefined = number < 0x80 || decoded[0] == kReplacement;
    characters[number] = undefined ? number : decoded[0];
  }
  return characters;
}

std::vector<CodePage> make_code_pages() {
  std::vector<CodePage> pages;
  pages.emplace_back(characters_of("iso-8859-1"), false);
  for (const char* name : {"windows-1252", "windows-1251", "windows-1250", "windows-1253",
                           "windows-1254", "windows-1257"}) {
    pages.emplace_back(characters_of(name), true);
  }
  pages.emplace_back(characters_of("iso-8859-2"), false);
  pages.emplace_back(characters_of("macintosh"), false);
  Characters dos = characters_of("ibm-437");
  dos[0xE6] =
      U'\u00B5';  // the micro sign on Windows, which writes these texts; ICU has the Greek mu
  pages.emplace_back(dos, false);
  return pages;
}

}  // namespace

CodePage::CodePage(const Characters& characters, bool encodes_losses)
    : characters_(characters), encodes_losses_(encodes_losses) {
  for (int number = 0; number < 256; ++number) {
    bytes_.emplace(characters[number], static_cast<char>(number));
  }
  if (encodes_losses) {
    bytes_.erase(kLostByte);
    bytes_.emplace(kReplacement, kLostByte);
  }
}

std::optional<std::string> CodePage::encode(std::u32string_view text) const {
  std::string encoded;
  encoded.reserve(text.size());
  for (char32_t c : text) {
    const auto byte = bytes_.find(c);
    if (byte == bytes_.end()) return std::nullopt;
    encoded.push_back(byte->second);
  }
  return encoded;
}

std::span<const CodePage> mistaken_code_pages() {
  static const std::vector<CodePage> pages = make_code_pages();
  return pages;
}

std::span<const CodePage> windows_code_pages() { return mistaken_code_pages().first(8); }

const CodePage& windows_1252() { return mistaken_code_pages()[1]; }

}  // namespace tagclip
