#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tagclip {

using FieldValue = std::variant<bool, int64_t, double, std::string, std::vector<std::string>>;

// For messages and for `--set` lines: true, 3, 0.5, "text", ["a", "b"].
std::string to_string(const FieldValue& value);

// Inclusive bounds of a number.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

// One entry of a config: how it is called, what it means, where it lives.
struct Field {
  std::string name;  // dotted: "optimizer.lr"
  std::string help;
  std::function<FieldValue()> get;
  // Throws Error(kUsage) saying what was expected when the type or range is wrong.
  std::function<void(const FieldValue&)> set;
};

// The fields of a config struct, listed once in its `fields()`; reading files, overriding on the
// command line, checking, printing and storing in a checkpoint all go through this list. The list
// refers to the struct's members: it must not outlive the struct.
class FieldList {
 public:
  void add(const std::string& name, bool& member, const std::string& help);
  void add(const std::string& name, int64_t& member, Range range, const std::string& help);
  void add(const std::string& name, double& member, Range range, const std::string& help);
  void add(const std::string& name, std::string& member, const std::string& help);
  void add(const std::string& name, std::vector<std::string>& member, const std::string& help);
  template <class Enum>
  void add(const std::string& name, Enum& member,
           const std::vector<std::pair<std::string, Enum>>& names, const std::string& help);
  void add(const std::string& name, int& member, Range range, const std::string& help);
  void add(Field field) { fields_.push_back(std::move(field)); }
  // The fields of a nested struct, called "name.field".
  void add_group(const std::string& name, FieldList group);

  const std::vector<Field>& all() const { return fields_; }
  bool contains_group(std::string_view name) const;

  // Throws Error(kUsage) for the first field whose value `set` would refuse: values reach a struct
  // by other ways, too.
  void check() const;

  // Throws Error(kUsage) for an unknown name, suggesting the nearest one.
  void set(std::string_view name, const FieldValue& value);
  // `assignment` is `name=value`; the value is read as the type of the field.
  void set_from_text(std::string_view assignment);

 private:
  const Field& at(std::string_view name) const;
  std::optional<std::string> meant_by(const std::string& name) const;
  void add_choice(const std::string& name, const std::string& help, std::vector<std::string> names,
                  std::function<size_t()> get, std::function<void(size_t)> set);

  std::vector<Field> fields_;
};

template <class Enum>
void FieldList::add(const std::string& name, Enum& member,
                    const std::vector<std::pair<std::string, Enum>>& names,
                    const std::string& help) {
  std::vector<std::string> words;
  std::vector<Enum> values;
  for (const auto& [word, value] : names) {
    words.push_back(word);
    values.push_back(value);
  }
  auto get = [&member, values] {
    size_t index = 0;
    while (values[index] != member) ++index;
    return index;
  };
  add_choice(name, help, std::move(words), get,
             [&member, values](size_t index) { member = values[index]; });
}

}  // namespace tagclip
