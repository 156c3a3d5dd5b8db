#include "base/fields.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/text_distance.h"

namespace tagclip {
namespace {

Error wrong_value(const std::string& name, const std::string& expected, const FieldValue& found) {
  return usage_error(fmt::format("{}: expected {}, found {}", name, expected, to_string(found)));
}

std::string describe(const std::string& noun, const Range& range) {
  if (std::isinf(range.low) && std::isinf(range.high)) return noun;
  if (std::isinf(range.high)) return fmt::format("{} of at least {}", noun, range.low);
  return fmt::format("{} from {} to {}", noun, range.low, range.high);
}

// As TOML and JSON write a text.
std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      result += fmt::format("\\u{:04X}", c);
    } else {
      result += c;
    }
  }
  return result + '"';
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

template <class Number>
bool parse_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

// Reads `text` as the alternative that `like` holds; what cannot be read stays a string, so that
// the field's own check words the error.
FieldValue parse_like(const FieldValue& like, std::string_view text) {
  int64_t integer = 0;
  double real = 0;
  if (std::holds_alternative<bool>(like) && (text == "true" || text == "false")) {
    return text == "true";
  }
  if (std::holds_alternative<int64_t>(like) && parse_number(text, integer)) return integer;
  if (std::holds_alternative<double>(like) && parse_number(text, real)) return real;
  if (std::holds_alternative<std::vector<std::string>>(like)) {
    std::vector<std::string> items;
    while (!text.empty()) {
      const auto comma = std::min(text.find(','), text.size());
      items.emplace_back(trim(text.substr(0, comma)));
      text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return items;
  }
  return std::string(text);
}

}  // namespace

std::string to_string(const FieldValue& value) {
  struct Printer {
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(int64_t v) const { return fmt::format("{}", v); }
    std::string operator()(double v) const { return fmt::format("{}", v); }
    std::string operator()(const std::string& v) const { return quoted(v); }
    std::string operator()(const std::vector<std::string>& v) const {
      std::vector<std::string> items;
      for (const std::string& item : v) items.push_back(quoted(item));
      return fmt::format("[{}]", fmt::join(items, ", "));
    }
  };
  return std::visit(Printer{}, value);
}

void FieldList::add(const std::string& name, bool& member, const std::string& help) {
  fields_.push_back({name, help, [&member] { return FieldValue(member); },
                     [&member, name](const FieldValue& value) {
                       if (!std::holds_alternative<bool>(value)) {
                         throw wrong_value(name, "true or false", value);
                       }
                       member = std::get<bool>(value);
                     }});
}

void FieldList::add(const std::string& name, int64_t& member, Range range,
                    const std::string& help) {
  fields_.push_back({name, help, [&member] { return FieldValue(member); },
                     [&member, name, range](const FieldValue& value) {
                       const int64_t* number = std::get_if<int64_t>(&value);
                       if (!number || *number < range.low || *number > range.high) {
                         throw wrong_value(name, describe("a whole number", range), value);
                       }
                       member = *number;
                     }});
}

void FieldList::add(const std::string& name, int& member, Range range, const std::string& help) {
  fields_.push_back({name, help, [&member] { return FieldValue(int64_t{member}); },
                     [&member, name, range](const FieldValue& value) {
                       int64_t number = member;
                       FieldList checked;
                       checked.add(name, number, range, "");
                       checked.set(name, value);
                       member = static_cast<int>(number);
                     }});
}

void FieldList::add(const std::string& name, double& member, Range range, const std::string& help) {
  fields_.push_back({name, help, [&member] { return FieldValue(member); },
                     [&member, name, range](const FieldValue& value) {
                       double number = NAN;
                       if (auto* real = std::get_if<double>(&value)) number = *real;
                       if (auto* integer = std::get_if<int64_t>(&value)) number = *integer;
                       if (!(number >= range.low && number <= range.high)) {
                         throw wrong_value(name, describe("a number", range), value);
                       }
                       member = number;
                     }});
}

void FieldList::add(const std::string& name, std::string& member, const std::string& help) {
  fields_.push_back({name, help, [&member] { return FieldValue(member); },
                     [&member, name](const FieldValue& value) {
                       if (!std::holds_alternative<std::string>(value)) {
                         throw wrong_value(name, "a text", value);
                       }
                       member = std::get<std::string>(value);
                     }});
}

void FieldList::add(const std::string& name, std::vector<std::string>& member,
                    const std::string& help) {
  fields_.push_back({name, help, [&member] { return FieldValue(member); },
                     [&member, name](const FieldValue& value) {
                       if (!std::holds_alternative<std::vector<std::string>>(value)) {
                         throw wrong_value(name, "a list of texts", value);
                       }
                       member = std::get<std::vector<std::string>>(value);
                     }});
}

void FieldList::add_choice(const std::string& name, const std::string& help,
                           std::vector<std::string> names, std::function<size_t()> get,
                           std::function<void(size_t)> set) {
  auto get_name = [names, get] { return FieldValue(names[get()]); };
  auto set_name = [name, names, set](const FieldValue& value) {
    const std::string* word = std::get_if<std::string>(&value);
    const auto found = word ? std::ranges::find(names, *word) : names.end();
    if (found == names.end()) {
      throw wrong_value(name, fmt::format("one of {}", fmt::join(names, ", ")), value);
    }
    set(static_cast<size_t>(found - names.begin()));
  };
  fields_.push_back(
      {name, fmt::format("{} ({})", help, fmt::join(names, ", ")), get_name, set_name});
}

void FieldList::add_group(const std::string& name, FieldList group) {
  for (Field& field : group.fields_) {
    field.name = name + "." + field.name;
    // Errors from `set` name the field inside its group; say the whole name.
    field.set = [inner = std::move(field.set), name](const FieldValue& value) {
      try {
        inner(value);
      } catch (const Error& error) {
        throw Error(error.kind(), name + "." + error.what(), error.hint());
      }
    };
    fields_.push_back(std::move(field));
  }
}

bool FieldList::contains_group(std::string_view name) const {
  const std::string prefix = std::string(name) + ".";
  return std::ranges::any_of(fields_, [&](const Field& f) { return f.name.starts_with(prefix); });
}

void FieldList::check() const {
  for (const Field& field : fields_) field.set(field.get());
}

// What a mistyped name was meant to be: a name whose group was left out, or the nearest one.
std::optional<std::string> FieldList::meant_by(const std::string& name) const {
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

const Field& FieldList::at(std::string_view name) const {
  const auto found = std::ranges::find(fields_, name, &Field::name);
  if (found != fields_.end()) return *found;
  if (contains_group(name)) {
    throw usage_error(fmt::format("{} is a group of settings", name),
                      fmt::format("give a value to one of its settings, {}.NAME", name));
  }
  const auto suggestion = meant_by(std::string(name));
  throw usage_error(fmt::format("there is no setting called {}", name),
                    suggestion ? "did you mean " + *suggestion + "?" : "");
}

void FieldList::set(std::string_view name, const FieldValue& value) { at(name).set(value); }

void FieldList::set_from_text(std::string_view assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    throw usage_error(fmt::format("--set {}: expected name=value", assignment),
                      "for example --set optimizer.lr=1e-4");
  }
  const Field& field = at(trim(assignment.substr(0, equals)));
  field.set(parse_like(field.get(), trim(assignment.substr(equals + 1))));
}

}  // namespace tagclip
