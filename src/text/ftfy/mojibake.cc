#include "text/ftfy/mojibake.h"

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "text/ftfy/code_page.h"
#include "text/ftfy/damaged_utf8.h"
#include "text/ftfy/mojibake_signs.h"

namespace tagclip {
namespace {

constexpr int kMaxLayers = 32;  // each doubles the text, so that no real one has as many
constexpr char32_t kNoBreakSpace = 0xA0;

std::optional<std::u32string> read_again_as_utf8(std::u32string_view text, const CodePage& page) {
  const auto encoded = page.encode(text);
  if (!encoded) return std::nullopt;
  std::string bytes = *encoded;
  if (page.decode(0xA0) == kNoBreakSpace) bytes = restore_no_break_spaces(bytes);
  if (page.encodes_losses()) bytes = replace_lossy_sequences(bytes);
  auto decoded = decode_utf8_variants(bytes);
  if (decoded && page.encodes_losses()) {
    std::replace(decoded->begin(), decoded->end(), char32_t{CodePage::kLostByte}, kReplacement);
  }
  return decoded;
}

std::optional<std::u32string> read_again_as_utf8(std::u32string_view text) {
  for (const CodePage& page : mistaken_code_pages()) {
    if (auto decoded = read_again_as_utf8(text, page)) return decoded;
  }
  return std::nullopt;
}

// The characters that lead and continue UTF-8 sequences read in one of the Windows encodings.
struct SequenceCharacters {
  std::unordered_set<char32_t> lead_of_2, lead_of_3, lead_of_4, continuation;

  SequenceCharacters() {
    for (const CodePage& page : windows_code_pages()) {
      auto add = [&](std::unordered_set<char32_t>& set, int first, int last) {
        for (int byte = first; byte <= last; ++byte) {
          set.insert(page.decode(static_cast<uint8_t>(byte)));
        }
      };
      add(lead_of_2, 0xC2, 0xDF);
      add(lead_of_3, 0xE0, 0xEF);
      add(lead_of_4, 0xF0, 0xF0);  // emoji and the like
      add(lead_of_4, 0xF3, 0xF3);  // flags
      add(continuation, 0x80, 0xBF);
    }
    continuation.insert(' ');  // what often became of a no-break space
  }

  // Returns the end of the sequences that begin at `position`; `position` itself if there is none.
  size_t match(std::u32string_view text, size_t position) const {
    size_t end = position;
    while (const size_t length = match_one(text.substr(end))) end += length;
    return end;
  }

 private:
  size_t match_one(std::u32string_view text) const {
    if (text.empty()) return 0;
    if (lead_of_2.contains(text[0]) && continues(text, 1)) return 2;
    if (lead_of_3.contains(text[0]) && continues(text, 2)) return 3;
    if (lead_of_4.contains(text[0]) && continues(text, 3)) return 4;
    return 0;
  }

  bool continues(std::u32string_view text, size_t count) const {
    if (text.size() <= count) return false;
    const auto tail = text.substr(1, count);
    return std::all_of(tail.begin(), tail.end(),
                       [&](char32_t c) { return continuation.contains(c); });
  }
};

// Punctuation that stands before proper words, so that it does not show a sequence to be cut off.
bool may_precede(char32_t c) {
  return std::u32string_view(U" –—―‘’‚“”„•…").find(c) != std::u32string_view::npos;
}

std::u32string repair_parts(std::u32string_view text) {
  static const SequenceCharacters characters;
  std::u32string out;
  out.reserve(text.size());
  for (size_t position = 0; position < text.size();) {
    const char32_t before = position > 0 ? text[position - 1] : U' ';
    const bool inside = characters.continuation.contains(before) && !may_precede(before);
    const size_t end = inside ? position : characters.match(text, position);
    const auto part = text.substr(position, end - position);
    if (part.empty()) {
      out.push_back(text[position++]);
      continue;
    }
    out += part.size() < text.size() ? repair_mojibake(part) : std::u32string(part);
    position = end;
  }
  return out;
}

// Replaces Latin-1's control characters by what Windows has there, as browsers do.
std::u32string replace_c1_controls(std::u32string_view text) {
  std::u32string out(text);
  for (char32_t& c : out) {
    if (c >= 0x80 && c <= 0x9F) c = windows_1252().decode(static_cast<uint8_t>(c));
  }
  return out;
}

std::u32string repair_one_layer(std::u32string_view text) {
  if (auto decoded = read_again_as_utf8(text)) return *decoded;
  std::u32string repaired = repair_parts(text);
  return repaired != text ? repaired : replace_c1_controls(text);
}

}  // namespace

std::u32string repair_mojibake(std::u32string_view text) {
  std::u32string repaired(text);
  for (int layer = 0; layer < kMaxLayers && has_mojibake_signs(repaired); ++layer) {
    std::u32string next = repair_one_layer(repaired);
    if (next == repaired) break;
    repaired = std::move(next);
  }
  return repaired;
}

}  // namespace tagclip
