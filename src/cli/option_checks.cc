#include "cli/option_checks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace tagclip {
namespace {

template <class Number>
CLI::Validator within(const char* noun, Number low, Number high) {
  return CLI::Validator(
      [=](std::string& text) {
        const auto number = parse_number<Number>(text);
        if (number && *number >= low && *number <= high) return std::string();
        return fmt::format("expected a {} from {} to {}, found '{}'", noun, low, high, text);
      },
      "");
}

}  // namespace

CLI::Validator one_of(std::vector<std::string> words) {
  const std::string description = fmt::format("{{{}}}", fmt::join(words, ","));
  return CLI::Validator(
      [words = std::move(words)](std::string& text) {
        if (std::ranges::find(words, text) != words.end()) return std::string();
        return fmt::format("expected one of {}, found '{}'", fmt::join(words, ", "), text);
      },
      description);
}

CLI::Validator whole_number(int64_t low, int64_t high) { return within("whole number", low, high); }

CLI::Validator number(double low, double high) { return within("number", low, high); }

CLI::Validator not_empty() {
  return CLI::Validator(
      [](std::string& text) { return std::string(text.empty() ? "an empty text was given" : ""); },
      "");
}

}  // namespace tagclip
