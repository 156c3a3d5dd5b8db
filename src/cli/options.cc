#include "cli/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <type_traits>

#include "base/error.h"
#include "base/text.h"

namespace tagclip {
namespace {

template <class Number>
constexpr const char* kNoun = std::is_integral_v<Number> ? "whole number" : "number";

template <class Number>
Check within(Number low, Number high) {
  return {[=](const std::string& text) {
    const auto number = parse_number<Number>(text);
    if (number && *number >= low && *number <= high) return std::string();
    return fmt::format("expected a {} from {} to {}, found '{}'", kNoun<Number>, low, high, text);
  }};
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  size_t start = 0;
  for (size_t end; (end = text.find(separator, start)) != text.npos; start = end + 1) {
    parts.push_back(text.substr(start, end - start));
  }
  parts.push_back(text.substr(start));
  return parts;
}

// The target's present value as the user would write it; empty for flags, lists and setters.
struct Written {
  std::string operator()(std::string* text) const { return *text; }
  std::string operator()(std::filesystem::path* path) const { return path->string(); }
  std::string operator()(int* number) const { return fmt::to_string(*number); }
  std::string operator()(int64_t* number) const { return fmt::to_string(*number); }
  std::string operator()(double* number) const { return fmt::to_string(*number); }
  std::string operator()(const auto&) const { return {}; }
};

}  // namespace

Check one_of(std::vector<std::string> words) {
  const auto problem = [words](const std::string& text) {
    if (std::ranges::find(words, text) != words.end()) return std::string();
    return fmt::format("expected one of {}, found '{}'", fmt::join(words, ", "), text);
  };
  return {problem, std::move(words)};
}

Check whole_number(int64_t low, int64_t high) { return within(low, high); }
Check number(double low, double high) { return within(low, high); }

Check not_empty() {
  return {[](const std::string& text) {
    return std::string(text.empty() ? "an empty text was given" : "");
  }};
}

Option::Option(const std::string& names, Target target, std::string meaning,
               std::string environment)
    : names_(names),
      target_(std::move(target)),
      meaning_(std::move(meaning)),
      environment_(std::move(environment)) {
  if (names.starts_with('-')) long_name_ = names.substr(names.find("--"));
}

Option* Option::type_name(std::string name) {
  type_name_ = std::move(name);
  return this;
}

Option* Option::check(Check check) {
  checks_.push_back(std::move(check));
  return this;
}

Option* Option::required() {
  required_ = true;
  return this;
}

Option* Option::excludes(const Option* other) {
  excluded_.push_back(other);
  return this;
}

Option* Option::show_default() { return show_default(std::visit(Written(), target_)); }

Option* Option::show_default(std::string value) {
  default_ = std::move(value);
  return this;
}

Option* Option::comma_separated() {
  comma_separated_ = true;
  return this;
}

std::string Option::value_name() const {
  if (type_name_) return *type_name_;
  if (is_flag()) return {};
  if (std::ranges::any_of(checks_, [](const Check& check) { return !check.words.empty(); })) {
    return "WORD";
  }
  const bool whole =
      std::holds_alternative<int*>(target_) || std::holds_alternative<int64_t*>(target_);
  if (whole) return "N";
  return std::holds_alternative<double*>(target_) ? "X" : "TEXT";
}

std::string Option::usage() const {
  if (is_positional()) return names_;
  std::string text;
  for (const std::string& name : split(names_, ',')) text += (text.empty() ? "" : ", ") + name;
  const std::string value = value_name();
  return value.empty() ? text : text + " " + value;
}

std::string Option::environment_name() const {
  if (environment_.empty() || is_positional() || long_name_ == "--help") return {};
  std::string name = environment_ + long_name_.substr(2);
  for (char& c : name) c = c == '-' ? '_' : static_cast<char>(std::toupper(c));
  return name;
}

std::vector<std::string> Option::words() const {
  for (const Check& check : checks_) {
    if (!check.words.empty()) return check.words;
  }
  return {};
}

std::string Option::help() const {
  std::vector<std::string> notes;
  if (!words().empty()) notes.push_back(fmt::format("{}", fmt::join(words(), ", ")));
  if (required_) notes.emplace_back("required");
  if (!default_.empty()) notes.push_back("default " + default_);
  std::string text = meaning_;
  if (!notes.empty()) text += fmt::format(" ({})", fmt::join(notes, "; "));
  if (const std::string name = environment_name(); !name.empty())
    text += fmt::format(" [{}]", name);
  return text;
}

void Option::store(const std::vector<std::string>& values) {
  given_ = !values.empty();
  if (required_ && !given_) throw usage_error(name() + " is required");
  if (values.size() > 1 && !takes_many() && !is_flag()) {
    throw usage_error(name() + ": given more than once");
  }
  for (const std::string& value : values) {
    for (const std::string& part : comma_separated_ ? split(value, ',') : std::vector{value}) {
      for (const Check& check : checks_) {
        const std::string problem = check.problem(part);
        if (!problem.empty()) throw usage_error(name() + ": " + problem);
      }
      store_one(part);
    }
  }
}

void Option::store_one(const std::string& value) {
  std::visit(
      [&](auto& target) {
        using To = std::decay_t<decltype(target)>;
        if constexpr (std::is_same_v<To, std::function<void(const std::string&)>>) {
          target(value);
        } else if constexpr (std::is_same_v<To, std::function<void()>>) {
          target();
        } else if constexpr (std::is_same_v<To, bool*>) {
          *target = true;
        } else if constexpr (std::is_same_v<To, std::vector<std::string>*>) {
          target->push_back(value);
        } else if constexpr (std::is_arithmetic_v<std::remove_pointer_t<To>>) {
          using Number = std::remove_pointer_t<To>;
          const auto number = parse_number<Number>(value);
          if (!number) {
            throw usage_error(
                fmt::format("{}: expected a {}, found '{}'", name(), kNoun<Number>, value));
          }
          *target = *number;
        } else {
          *target = value;
        }
      },
      target_);
}

Option* OptionList::add_option(const std::string& names, Target target,
                               const std::string& meaning) {
  return &options_.emplace_back(names, std::move(target), meaning, environment_);
}

Option* OptionList::add_flag(const std::string& names, bool& target, const std::string& meaning) {
  return add_option(names, Target(&target), meaning);
}

}  // namespace tagclip
