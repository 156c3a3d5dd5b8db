#include "label_formats/class_names.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/labels.h"
#include "base/text.h"
#include "text/list_file.h"
#include "text/unicode.h"

namespace tagclip {
namespace {

constexpr size_t kMostClasses = 65000;
constexpr size_t kLongestName = 1000;  // bytes

constexpr std::array kUnlabelledNames = {"background", "unlabelled", "unlabeled", "bg"};
constexpr std::array kVoidNames = {"void", "ignore", "ignored", "dont care", "don't care"};

bool is_one_of(std::string_view name, const auto& names) {
  return std::ranges::find(names, lower_case(name)) != names.end();
}

}  // namespace

std::string class_name(std::string_view name, const std::string& where) {
  std::string spaced(name);
  std::ranges::replace(spaced, '_', ' ');
  std::string tidy;
  for (const char c : checked_trim(spaced, where)) {
    if (c != ' ' || !tidy.ends_with(' ')) tidy += c;
  }
  if (tidy.empty()) throw bad_input(where + ": a class has no name");
  if (tidy.size() > kLongestName) {
    throw bad_input(fmt::format("{}: a class name is longer than {} bytes", where, kLongestName));
  }
  return tidy;
}

bool means_unlabelled(std::string_view class_name) {
  return is_one_of(class_name, kUnlabelledNames);
}

bool means_void(std::string_view class_name) { return is_one_of(class_name, kVoidNames); }

uint16_t ClassNames::value_of(std::string_view name, const std::string& where) {
  const std::string tidy = class_name(name, where);
  if (means_unlabelled(tidy)) return kUnlabelled;
  if (means_void(tidy)) return kIgnoreIndex;
  const auto [known, is_new] =
      value_of_.emplace(lower_case(tidy), static_cast<uint16_t>(names_.size()));
  if (is_new) {
    if (names_.size() == kMostClasses) {
      throw bad_input(fmt::format("{}: more than {} classes", where, kMostClasses));
    }
    names_.push_back(tidy);
  }
  const std::string& became = names_[known->second];
  if (name != became && merged_.emplace(name, became).second) {
    changes_.push_back(fmt::format("{} is {}", in_quotes(name), in_quotes(became)));
  }
  return known->second;
}

std::vector<std::string> ClassNames::notes() const {
  if (changes_.empty()) return {};
  constexpr size_t kShown = 5;
  const size_t shown = std::min(changes_.size(), kShown);
  const auto end = changes_.begin() + static_cast<ptrdiff_t>(shown);
  std::string text = fmt::format("class names: {}", fmt::join(changes_.begin(), end, ", "));
  if (changes_.size() > shown) text += fmt::format(" and {} more", changes_.size() - shown);
  return {text};
}

}  // namespace tagclip
