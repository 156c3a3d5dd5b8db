#include "base/bounded_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <exception>

#include "base/text.h"

namespace tagclip {
namespace {

constexpr int kMaxDepth = 32;

struct TooDeep : std::exception {};

bool check_depth(int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
  if (depth > kMaxDepth) throw TooDeep();
  return true;
}

}  // namespace

std::optional<nlohmann::json> parse_bounded_json(std::string_view text, size_t max_bytes) {
  if (text.size() > max_bytes) return std::nullopt;
  try {
    auto value = nlohmann::json::parse(text, check_depth, /*allow_exceptions=*/false);
    if (value.is_discarded()) return std::nullopt;
    return value;
  } catch (const TooDeep&) {
    return std::nullopt;
  }
}

namespace {

// The word or number around `at`, such as "-Infinity".
std::string_view token_at(std::string_view text, size_t at) {
  const auto belongs = [&](size_t i) {
    return std::isalnum(static_cast<unsigned char>(text[i])) || text[i] == '+' || text[i] == '-' ||
           text[i] == '.';
  };
  size_t begin = at, end = at;
  while (begin > 0 && belongs(begin - 1)) --begin;
  while (end < text.size() && belongs(end)) ++end;
  return text.substr(begin, end - begin);
}

// The place where reading ends, and why when it is not the grammar.
struct Fault {
  size_t at = 0;
  std::string why;
};

Fault find_fault(std::string_view text) {
  using nlohmann::json;
  try {
    const json unused = json::parse(text, check_depth);
  } catch (const TooDeep&) {
    return {0, fmt::format("nested deeper than {}", kMaxDepth)};
  } catch (const json::parse_error& error) {
    return {std::min(error.byte > 0 ? error.byte - 1 : 0, text.size()), {}};
  } catch (const json::exception& error) {  // a number that is too large
    const std::string_view what = error.what();
    const size_t open = what.find('\''), close = what.rfind('\'');
    const size_t at = open < close ? text.find(what.substr(open + 1, close - open - 1)) : text.npos;
    return {at == text.npos ? 0 : at, {}};
  }
  return {};
}

}  // namespace

std::string json_fault(std::string_view text) {
  if (text.size() > kMaxJsonBytes) return fmt::format("longer than {} MiB", kMaxJsonBytes >> 20);
  const auto [at, why] = find_fault(text);
  if (!why.empty()) return why;
  const std::string_view token = token_at(text, at);
  const auto begin = token.empty() ? at : static_cast<size_t>(token.data() - text.data());
  const std::string_view before = text.substr(0, begin);
  const auto line = 1 + std::ranges::count(before, '\n');
  const size_t start = before.rfind('\n') == before.npos ? 0 : before.rfind('\n') + 1;
  const std::string place = fmt::format("line {}, column {}", line, begin - start + 1);
  std::string word(token);
  std::ranges::transform(word, word.begin(), [](unsigned char c) { return std::tolower(c); });
  if (word == "nan" || word.ends_with("infinity") || word == "inf" || word == "-inf") {
    return fmt::format("{}: {} is not a number in JSON", place, token);
  }
  const bool digit = !word.empty() && std::isdigit(static_cast<unsigned char>(word.back()));
  if (digit) return fmt::format("{}: {} is too large or no number", place, in_quotes(token, 40));
  return place + ": not JSON";
}

namespace {

using nlohmann::ordered_json;

std::string with_escaped_bytes(const std::string& text) {
  if (is_utf8(text)) return text;
  std::string escaped;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const bool sound = next_code_point(text, at) != kMalformed;
    if (sound && text[begin] != '\\') {
      escaped.append(text, begin, at - begin);
      continue;
    }
    for (size_t i = begin; i < at; ++i) {
      escaped += fmt::format("\\x{:02X}", static_cast<unsigned char>(text[i]));
    }
  }
  return escaped;
}

ordered_json with_escaped_bytes(const ordered_json& value) {
  if (value.is_string()) return with_escaped_bytes(value.get_ref<const std::string&>());
  if (!value.is_structured()) return value;
  ordered_json result = value.is_object() ? ordered_json::object() : ordered_json::array();
  for (const auto& [key, inner] : value.items()) {
    if (value.is_object()) {
      result[with_escaped_bytes(key)] = with_escaped_bytes(inner);
    } else {
      result.push_back(with_escaped_bytes(inner));
    }
  }
  return result;
}

}  // namespace

std::string json_text(const nlohmann::ordered_json& value, int indent) {
  try {
    return value.dump(indent);
  } catch (const nlohmann::ordered_json::type_error&) {  // a text that is not UTF-8
    return with_escaped_bytes(value).dump(indent);
  }
}

}  // namespace tagclip
