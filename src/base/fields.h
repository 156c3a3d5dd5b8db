#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"

namespace tagclip {

using FieldValue =
    std::variant<bool, int64_t, double, std::string, std::vector<std::string>, std::vector<double>>;

// Writes a value as messages and `--set` lines do: true, 3, 0.5, "text", ["a", "b"].
std::string to_string(const FieldValue& value);
// The same as a person would type it for one option: a text without quotes, numbers with commas.
std::string plain_text(const FieldValue& value);

// Inclusive bounds of a number.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

enum class FieldType {
  kBool,
  kInteger,
  kNumber,
  kNumbers,
  kText,
  kTexts,
  kOneOrMoreTexts,
  kChoice
};

// A setting's name in a file or on the command line, beside the value that it stands for.
template <class Enum>
using Choices = std::vector<std::pair<std::string, std::type_identity_t<Enum>>>;

// The name of a value, which must have one.
template <class Enum>
const std::string& name_of(const Choices<Enum>& choices, Enum value) {
  const auto found = std::ranges::find(choices, value, &Choices<Enum>::value_type::second);
  TAGCLIP_CHECK(found != choices.end(), "a choice without a word");
  return found->first;
}

// One entry of a config: its name, its meaning, and what it may hold.
struct Field {
  std::string name;  // dotted: "optimizer.lr"
  FieldType type = FieldType::kText;
  std::string help;
  Range range;  // of kInteger, kNumber and each of kNumbers
  // The words that a kChoice may be; the word for "no number" of a kNumber, if it has one.
  std::vector<std::string> choices;
  std::function<FieldValue()> get;

  // `value` as the alternative of FieldValue that `get` gives; a whole number serves as kNumber, a
  // number as kNumbers, which are at least one.
  // Throws Error(kUsage) saying what was expected when type, range or word is wrong.
  FieldValue accept(const FieldValue& value) const;
  // The help, followed by the words of a choice.
  std::string explanation() const;
};

// The fields of a config struct for reading. They are listed once, in the struct's `fields()`:
// reading files, overriding on the command line, checking, help, printing and storing in a
// checkpoint all go through that list. It refers to the struct's members and must not outlive them.
class ConstFieldList {
 public:
  // Members may be bool, integers, floating-point numbers, strings, paths and lists of strings or
  // numbers.
  template <class Member>
  void add(const std::string& name, const Member& member, const std::string& help) {
    add(name, member, Range(), help);
  }
  template <class Member>
  void add(const std::string& name, const Member& member, Range range, const std::string& help);
  template <class Enum>
    requires std::is_enum_v<Enum>
  void add(const std::string& name, const Enum& member, const Choices<Enum>& choices,
           const std::string& help);
  // A number that may be missing, which the word `none` stands for.
  void add(const std::string& name, const std::optional<double>& member, Range range,
           const std::string& none, const std::string& help);
  // A list that is written as a plain text where it has one entry, and as "" where it has none.
  void add_one_or_more(const std::string& name, const std::vector<std::string>& member,
                       const std::string& help);
  // The fields of a nested struct, called "name.field".
  void add_group(const std::string& name, const ConstFieldList& group);

  const std::vector<Field>& all() const { return fields_; }
  bool contains_group(std::string_view name) const;
  // Throws Error(kUsage) for an unknown name, suggesting the nearest one.
  const Field& at(std::string_view name) const;
  ConstFieldList where(const std::function<bool(const Field&)>& wanted) const;

  // Throws Error(kUsage) for the first field whose value `set` would refuse: values reach a struct
  // by other ways, too.
  void check() const;

 protected:
  std::vector<Field> fields_;

 private:
  std::optional<std::string> meant_by(const std::string& name) const;
};

// The same for reading and writing.
class FieldList : public ConstFieldList {
 public:
  template <class Member>
  void add(const std::string& name, Member& member, const std::string& help) {
    add(name, member, Range(), help);
  }
  template <class Member>
  void add(const std::string& name, Member& member, Range range, const std::string& help);
  template <class Enum>
    requires std::is_enum_v<Enum>
  void add(const std::string& name, Enum& member, const Choices<Enum>& choices,
           const std::string& help);
  void add(const std::string& name, std::optional<double>& member, Range range,
           const std::string& none, const std::string& help);
  void add_one_or_more(const std::string& name, std::vector<std::string>& member,
                       const std::string& help);
  void add_group(const std::string& name, const FieldList& group);
  // Groups with names of the user's: "name.KEY.field". `open` makes the fields of a new KEY when
  // the first of them is set; those of keys that are there already are added as groups.
  void add_tables(const std::string& name, std::function<FieldList(const std::string& key)> open);
  bool contains_group(std::string_view name) const;

  FieldList where(const std::function<bool(const Field&)>& wanted) const;
  // The fields of these names, or the others, in the order of this list. Throw as `at`.
  FieldList only(const std::vector<std::string>& names) const;
  FieldList without(const std::vector<std::string>& names) const;

  // Throw Error(kUsage) for an unknown name, suggesting the nearest one, and as Field::accept.
  void set(std::string_view name, const FieldValue& value);
  // The same with the value as text, which is read as the type of the field. Entries of a list have
  // commas between them; one in double quotes keeps its own.
  void set_from_text(std::string_view name, std::string_view value);
  // `assignment` is `name=value`.
  void set_from_text(std::string_view assignment);

 private:
  struct Tables {
    std::string prefix;  // "name."
    std::function<FieldList(const std::string&)> open;
  };

  void open_table_of(std::string_view name);

  std::vector<std::function<void(const FieldValue&)>> setters_;  // one per field
  std::vector<Tables> tables_;
};

// The list of a config that may be constant: a struct's two `fields()` share one template with it.
template <class Config>
using FieldsOf = std::conditional_t<std::is_const_v<Config>, ConstFieldList, FieldList>;

// --- Implementation ---

namespace detail {

// The alternative of FieldValue that stores a member.
template <class Member>
struct Stored {
  using Type = Member;
};
template <std::integral Member>
struct Stored<Member> {
  using Type = std::conditional_t<std::same_as<Member, bool>, bool, int64_t>;
};
template <std::floating_point Member>
struct Stored<Member> {
  using Type = double;
};
template <>
struct Stored<std::filesystem::path> {
  using Type = std::string;
};
template <class Member>
using StoredType = typename Stored<Member>::Type;

template <class Stored>
constexpr FieldType field_type() {
  if constexpr (std::same_as<Stored, bool>) return FieldType::kBool;
  if constexpr (std::same_as<Stored, int64_t>) return FieldType::kInteger;
  if constexpr (std::same_as<Stored, double>) return FieldType::kNumber;
  if constexpr (std::same_as<Stored, std::string>) return FieldType::kText;
  if constexpr (std::same_as<Stored, std::vector<double>>) return FieldType::kNumbers;
  return FieldType::kTexts;
}

}  // namespace detail

template <class Member>
void ConstFieldList::add(const std::string& name, const Member& member, Range range,
                         const std::string& help) {
  using Stored = detail::StoredType<Member>;
  if constexpr (std::integral<Member> && sizeof(Member) < sizeof(int64_t)) {
    range.low = std::max<double>(range.low, std::numeric_limits<Member>::min());
    range.high = std::min<double>(range.high, std::numeric_limits<Member>::max());
  }
  Field field{name, detail::field_type<Stored>(), help, range, {}, {}};
  field.get = [&member] { return FieldValue(static_cast<Stored>(member)); };
  fields_.push_back(std::move(field));
}

template <class Enum>
  requires std::is_enum_v<Enum>
void ConstFieldList::add(const std::string& name, const Enum& member, const Choices<Enum>& choices,
                         const std::string& help) {
  Field field{name, FieldType::kChoice, help, {}, {}, {}};
  for (const auto& [word, value] : choices) field.choices.push_back(word);
  field.get = [&member, choices] { return FieldValue(name_of(choices, member)); };
  fields_.push_back(std::move(field));
}

template <class Member>
void FieldList::add(const std::string& name, Member& member, Range range, const std::string& help) {
  ConstFieldList::add(name, std::as_const(member), range, help);
  setters_.push_back([&member](const FieldValue& value) {
    member = static_cast<Member>(std::get<detail::StoredType<Member>>(value));
  });
}

template <class Enum>
  requires std::is_enum_v<Enum>
void FieldList::add(const std::string& name, Enum& member, const Choices<Enum>& choices,
                    const std::string& help) {
  ConstFieldList::add(name, std::as_const(member), choices, help);
  setters_.push_back([&member, choices](const FieldValue& accepted) {
    for (const auto& [word, value] : choices) {
      if (word == std::get<std::string>(accepted)) member = value;
    }
  });
}

}  // namespace tagclip
