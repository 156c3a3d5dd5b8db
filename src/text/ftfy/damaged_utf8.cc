#include "text/ftfy/damaged_utf8.h"

#include <algorithm>
#include <cstdint>

#include "base/text.h"
#include "text/ftfy/code_page.h"

namespace tagclip {
namespace {

constexpr std::string_view kReplacementInUtf8 = "\xEF\xBF\xBD";

uint8_t at(std::string_view bytes, size_t i) { return static_cast<uint8_t>(bytes[i]); }

bool is_continuation(uint8_t byte) { return byte >= 0x80 && byte <= 0xBF; }

// The length in bytes of a sequence that begins with `lead`; 1 for anything but a lead byte.
size_t sequence_length(uint8_t lead) {
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 1;
}

// The leads of two-byte sequences common enough to be completed by a guess: Latin, Greek, Cyrillic,
// Arabic.
bool is_common_lead(uint8_t lead) {
  return std::string_view("\xC2\xC3\xC5\xCE\xD0\xD9").find(static_cast<char>(lead)) !=
         std::string_view::npos;
}

// A lone space or an ellipsis proves little, so they do not support a guess.
bool supports_guess(uint8_t byte) { return is_continuation(byte) && byte != 0x85 && byte != 0xA0; }

// True if `sequence`, of the length its lead byte asks for, becomes plausible UTF-8 when its one
// space becomes A0.
bool lost_no_break_space(std::string_view sequence) {
  const uint8_t lead = at(sequence, 0);
  switch (sequence.size()) {
    case 2:
      return is_common_lead(lead) && sequence[1] == ' ';
    case 3:
      return (lead <= 0xE3 && supports_guess(at(sequence, 1)) && sequence[2] == ' ') ||
             ((lead == 0xE2 || lead == 0xE3) && sequence[1] == ' ' &&
              supports_guess(at(sequence, 2)));
    case 4: {
      const auto tail = sequence.substr(1);
      const auto kept = std::count_if(tail.begin(), tail.end(), [](char c) {
        return is_continuation(static_cast<uint8_t>(c));
      });
      return lead == 0xF0 && kept == 2 && std::count(tail.begin(), tail.end(), ' ') == 1;
    }
    default:
      return false;
  }
}

// The word à of Portuguese and French may go on in the same word: àquele, às. `rest` follows the
// space.
bool continues_a_grave(std::string_view rest) {
  for (std::string_view ending : {" ", "quele", "quela", "quilo", "s "}) {
    if (rest.starts_with(ending)) return true;
  }
  return false;
}

bool is_lossy(std::string_view sequence) {
  size_t lost = 0, question_marks = 0;
  for (char c : sequence.substr(1)) {
    if (c == '?') {
      ++question_marks;
    } else if (c == CodePage::kLostByte) {
      ++lost;
    } else if (!is_continuation(static_cast<uint8_t>(c))) {
      return false;
    }
  }
  // A question mark after an accented capital is mostly just that, but for the two commonest leads.
  if (sequence.size() == 2 && question_marks > 0) return at(sequence, 0) <= 0xC3;
  return question_marks <= 1 && lost + question_marks > 0;
}

// Copies `bytes`, asking `replace` at each complete sequence for what to write in its place.
template <typename Replace>
std::string rewrite_sequences(std::string_view bytes, Replace replace) {
  std::string out;
  out.reserve(bytes.size() + 16);
  for (size_t i = 0; i < bytes.size();) {
    const size_t length = sequence_length(at(bytes, i));
    if (length > 1 && i + length <= bytes.size() && replace(bytes.substr(i), length, out)) {
      i += length;
    } else {
      out.push_back(bytes[i++]);
    }
  }
  return out;
}

// The surrogate at `i` when it is the half that begins with ED and `second_byte` (A0 or B0), plus
// up to 15.
std::optional<char32_t> surrogate(std::string_view bytes, size_t i, uint8_t second_byte) {
  if (i + 3 > bytes.size() || at(bytes, i) != 0xED) return std::nullopt;
  const bool right_half = (at(bytes, i + 1) & 0xF0) == second_byte;
  if (!right_half || !is_continuation(at(bytes, i + 2))) return std::nullopt;
  return 0xD000 | (at(bytes, i + 1) & 0x3Fu) << 6 | (at(bytes, i + 2) & 0x3Fu);
}

std::string to_standard_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (size_t i = 0; i < bytes.size();) {
    const auto high = surrogate(bytes, i, 0xA0);
    const auto low = high ? surrogate(bytes, i + 3, 0xB0) : std::nullopt;
    if (low) {
      append_utf8(0x10000 + ((*high - 0xD800) << 10) + (*low - 0xDC00), out);
      i += 6;
    } else if (bytes.substr(i).starts_with("\xC0\x80")) {
      out.push_back('\0');
      i += 2;
    } else {
      out.push_back(bytes[i++]);
    }
  }
  return out;
}

}  // namespace

std::string restore_no_break_spaces(std::string_view bytes) {
  return rewrite_sequences(bytes, [](std::string_view rest, size_t length, std::string& out) {
    std::string sequence(rest.substr(0, length));
    if (!lost_no_break_space(sequence)) return false;
    const bool keeps_space = sequence == "\xC3 " && !continues_a_grave(rest.substr(length));
    std::replace(sequence.begin(), sequence.end(), ' ', '\xA0');
    out += sequence;
    if (keeps_space) out += ' ';
    return true;
  });
}

std::string replace_lossy_sequences(std::string_view bytes) {
  return rewrite_sequences(bytes, [](std::string_view rest, size_t length, std::string& out) {
    if (!is_lossy(rest.substr(0, length))) return false;
    out += kReplacementInUtf8;
    return true;
  });
}

std::optional<std::u32string> decode_utf8_variants(std::string_view bytes) {
  const std::string standard = to_standard_utf8(bytes);
  if (find_invalid_utf8(standard)) return std::nullopt;
  return decode_utf8(standard);
}

}  // namespace tagclip
