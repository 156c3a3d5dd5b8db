#include "base/fields.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/error.h"
#include "base/text.h"

namespace tagclip {
namespace {

std::string describe(const std::string& noun, const Range& range) {
  if (std::isinf(range.low) && std::isinf(range.high)) return noun;
  if (std::isinf(range.high)) return fmt::format("{} of at least {}", noun, range.low);
  return fmt::format("{} from {} to {}", noun, range.low, range.high);
}

std::string expectation(const Field& field) {
  switch (field.type) {
    case FieldType::kBool:
      return "true or false";
    case FieldType::kInteger:
      return describe("a whole number", field.range);
    case FieldType::kNumber: {
      const std::string number = describe("a number", field.range);
      return field.choices.empty() ? number : fmt::format("{} or {}", field.choices[0], number);
    }
    case FieldType::kNumbers:
      return describe("a list of numbers", field.range);
    case FieldType::kText:
      return "a text";
    case FieldType::kTexts:
      return "a list of texts";
    case FieldType::kOneOrMoreTexts:
      return "a text or a list of texts";
    case FieldType::kChoice:
      return fmt::format("one of {}", fmt::join(field.choices, ", "));
  }
  throw InternalError("a field of no type");
}

// NaN is in no range.
bool is_within(const Range& range, double number) {
  return number >= range.low && number <= range.high;
}

// A number, whole or not; nothing for what is none.
std::optional<double> number_of(const FieldValue& value) {
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* integer = std::get_if<int64_t>(&value)) return static_cast<double>(*integer);
  return std::nullopt;
}

// Returns nothing if the value does not fit.
std::optional<FieldValue> accepted(const Field& field, const FieldValue& value) {
  const auto* integer = std::get_if<int64_t>(&value);
  const auto* word = std::get_if<std::string>(&value);
  const std::optional<double> number = number_of(value);
  const auto when = [&](bool fits) { return fits ? std::optional(value) : std::nullopt; };
  switch (field.type) {
    case FieldType::kBool:
      return when(std::holds_alternative<bool>(value));
    case FieldType::kText:
      return when(word != nullptr);
    case FieldType::kTexts:
      return when(std::holds_alternative<std::vector<std::string>>(value));
    case FieldType::kOneOrMoreTexts:
      return when(word != nullptr || std::holds_alternative<std::vector<std::string>>(value));
    case FieldType::kChoice:
      return when(word != nullptr && std::ranges::count(field.choices, *word) > 0);
    case FieldType::kInteger:
      return when(integer != nullptr && is_within(field.range, static_cast<double>(*integer)));
    case FieldType::kNumber:
      if (word != nullptr) return when(std::ranges::count(field.choices, *word) > 0);
      if (!number || !is_within(field.range, *number)) return std::nullopt;
      return *number;
    case FieldType::kNumbers: {
      const auto* list = std::get_if<std::vector<double>>(&value);
      std::vector<double> numbers = list != nullptr ? *list : std::vector<double>();
      if (number) numbers.push_back(*number);
      const auto fits = [&](double one) { return is_within(field.range, one); };
      if (numbers.empty() || !std::ranges::all_of(numbers, fits)) return std::nullopt;
      return numbers;
    }
  }
  return std::nullopt;
}

// The entries of a list as `--set` takes it: a, b or ["a", "b"]. Quotes keep a comma in an entry.
std::vector<std::string> entries_of(std::string_view text) {
  text = trim(text);
  if (text.starts_with('[') && text.ends_with(']')) {
    text = trim(text.substr(1, text.size() - 2));
  }
  std::vector<std::string> entries;
  while (!text.empty()) {
    const auto close = text.starts_with('"') ? text.find('"', 1) : text.npos;
    const auto comma = std::min(text.find(',', close == text.npos ? 0 : close), text.size());
    const std::string_view entry = trim(text.substr(0, comma));
    const bool quoted = close != text.npos && entry.size() == close + 1;
    entries.emplace_back(quoted ? entry.substr(1, close - 1) : entry);
    text.remove_prefix(std::min(comma + 1, text.size()));
    text = trim(text);
  }
  return entries;
}

std::optional<std::vector<double>> numbers_in(std::string_view text) {
  std::vector<double> numbers;
  for (const std::string& entry : entries_of(text)) {
    const std::optional<double> number = parse_number<double>(entry);
    if (!number) return std::nullopt;
    numbers.push_back(*number);
  }
  return numbers;
}

// Reads `text` as a value of that type; what cannot be read stays a string, so that the field's own
// check words the error.
FieldValue parse_as(FieldType type, std::string_view text) {
  if (type == FieldType::kBool && (text == "true" || text == "false")) return text == "true";
  if (type == FieldType::kInteger) {
    if (const auto integer = parse_number<int64_t>(text)) return *integer;
  }
  if (type == FieldType::kNumber) {
    if (const auto real = parse_number<double>(text)) return *real;
  }
  if (type == FieldType::kNumbers) {
    if (auto numbers = numbers_in(text)) return *std::move(numbers);
  }
  if (type == FieldType::kTexts || type == FieldType::kOneOrMoreTexts) return entries_of(text);
  return std::string(text);
}

}  // namespace

std::string to_string(const FieldValue& value) {
  struct Printer {
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(int64_t v) const { return fmt::format("{}", v); }
    std::string operator()(double v) const { return fmt::format("{}", v); }
    std::string operator()(const std::string& v) const { return whole(v); }
    std::string operator()(const std::vector<std::string>& v) const {
      std::vector<std::string> items;
      for (const std::string& item : v) items.push_back(whole(item));
      return fmt::format("[{}]", fmt::join(items, ", "));
    }
    std::string operator()(const std::vector<double>& v) const {
      return fmt::format("[{}]", fmt::join(v, ", "));
    }
    static std::string whole(const std::string& v) { return in_quotes(v, v.size()); }
  };
  return std::visit(Printer{}, value);
}

std::string plain_text(const FieldValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  const auto* numbers = std::get_if<std::vector<double>>(&value);
  return numbers != nullptr ? fmt::format("{}", fmt::join(*numbers, ",")) : to_string(value);
}

FieldValue Field::accept(const FieldValue& value) const {
  if (auto result = accepted(*this, value)) return *std::move(result);
  throw usage_error(
      fmt::format("{}: expected {}, found {}", name, expectation(*this), to_string(value)));
}

std::string Field::explanation() const {
  if (type != FieldType::kChoice) return help;
  return fmt::format("{} ({})", help, fmt::join(choices, ", "));
}

void ConstFieldList::add(const std::string& name, const std::optional<double>& member, Range range,
                         const std::string& none, const std::string& help) {
  const auto get = [&member, none] { return member ? FieldValue(*member) : FieldValue(none); };
  fields_.push_back({name, FieldType::kNumber, help, range, {none}, get});
}

void FieldList::add(const std::string& name, std::optional<double>& member, Range range,
                    const std::string& none, const std::string& help) {
  ConstFieldList::add(name, std::as_const(member), range, none, help);
  setters_.push_back([&member](const FieldValue& value) {
    const double* number = std::get_if<double>(&value);
    member = number != nullptr ? std::optional(*number) : std::nullopt;
  });
}

void ConstFieldList::add_one_or_more(const std::string& name,
                                     const std::vector<std::string>& member,
                                     const std::string& help) {
  const auto get = [&member]() -> FieldValue {
    if (member.size() > 1) return member;
    return member.empty() ? std::string() : member.front();
  };
  fields_.push_back({name, FieldType::kOneOrMoreTexts, help, {}, {}, get});
}

void FieldList::add_one_or_more(const std::string& name, std::vector<std::string>& member,
                                const std::string& help) {
  ConstFieldList::add_one_or_more(name, std::as_const(member), help);
  setters_.push_back([&member](const FieldValue& value) {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) {
      member = std::get<std::vector<std::string>>(value);
    } else {
      member.assign(text->empty() ? 0 : 1, *text);
    }
  });
}

void ConstFieldList::add_group(const std::string& name, const ConstFieldList& group) {
  for (Field field : group.fields_) {
    field.name = name + "." + field.name;
    fields_.push_back(std::move(field));
  }
}

bool ConstFieldList::contains_group(std::string_view name) const {
  const std::string prefix = std::string(name) + ".";
  return std::ranges::any_of(fields_, [&](const Field& f) { return f.name.starts_with(prefix); });
}

ConstFieldList ConstFieldList::where(const std::function<bool(const Field&)>& wanted) const {
  ConstFieldList list;
  std::ranges::copy_if(fields_, std::back_inserter(list.fields_), wanted);
  return list;
}

void ConstFieldList::check() const {
  for (const Field& field : fields_) field.accept(field.get());
}

// The name that a mistyped one was meant to be: one whose group was left out, or the nearest one.
std::optional<std::string> ConstFieldList::meant_by(const std::string& name) const {
  std::vector<std::string> names;
  for (const Field& field : fields_) {
    if (field.name.ends_with("." + name)) return field.name;
    names.push_back(field.name);
    for (auto dot = field.name.find('.'); dot != field.name.npos;
         dot = field.name.find('.', dot + 1)) {
      names.push_back(field.name.substr(0, dot));
    }
  }
  return nearest(name, names);
}

const Field& ConstFieldList::at(std::string_view name) const {
  const auto found = std::ranges::find(fields_, name, &Field::name);
  if (found != fields_.end()) return *found;
  if (contains_group(name)) {
    throw usage_error(fmt::format("{} is a group of settings", name),
                      fmt::format("give a value to one of its settings, {}.NAME", name));
  }
  throw usage_error(fmt::format("there is no setting called {}", name),
                    did_you_mean(meant_by(std::string(name))));
}

void FieldList::add_group(const std::string& name, const FieldList& group) {
  ConstFieldList::add_group(name, group);
  std::ranges::copy(group.setters_, std::back_inserter(setters_));
}

void FieldList::add_tables(const std::string& name,
                           std::function<FieldList(const std::string& key)> open) {
  tables_.push_back({name + ".", std::move(open)});
}

bool FieldList::contains_group(std::string_view name) const {
  const std::string inside = std::string(name) + ".";
  const auto covers = [&](const Tables& tables) { return inside.starts_with(tables.prefix); };
  return ConstFieldList::contains_group(name) || std::ranges::any_of(tables_, covers);
}

// The key of a table is all between its group's name and the field's: it may hold dots.
void FieldList::open_table_of(std::string_view name) {
  const size_t dot = name.rfind('.');
  for (const auto& [prefix, open] : tables_) {
    if (dot == name.npos || !name.starts_with(prefix) || dot <= prefix.size()) continue;
    const std::string group(name.substr(0, dot));
    if (ConstFieldList::contains_group(group)) continue;
    add_group(group, open(group.substr(prefix.size())));
  }
}

FieldList FieldList::where(const std::function<bool(const Field&)>& wanted) const {
  FieldList list;
  for (size_t i = 0; i < fields_.size(); ++i) {
    if (!wanted(fields_[i])) continue;
    list.fields_.push_back(fields_[i]);
    list.setters_.push_back(setters_[i]);
  }
  return list;
}

FieldList FieldList::only(const std::vector<std::string>& names) const {
  for (const std::string& name : names) at(name);
  return where([&](const Field& field) { return std::ranges::count(names, field.name) > 0; });
}

FieldList FieldList::without(const std::vector<std::string>& names) const {
  for (const std::string& name : names) at(name);
  return where([&](const Field& field) { return std::ranges::count(names, field.name) == 0; });
}

void FieldList::set(std::string_view name, const FieldValue& value) {
  open_table_of(name);
  const Field& field = at(name);
  setters_[static_cast<size_t>(&field - fields_.data())](field.accept(value));
}

void FieldList::set_from_text(std::string_view assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    throw usage_error(fmt::format("{}: expected name=value", in_quotes(assignment)),
                      "for example optimizer.lr=1e-4");
  }
  set_from_text(trim(assignment.substr(0, equals)), trim(assignment.substr(equals + 1)));
}

void FieldList::set_from_text(std::string_view name, std::string_view value) {
  open_table_of(name);
  set(name, parse_as(at(name).type, value));
}

}  // namespace tagclip
