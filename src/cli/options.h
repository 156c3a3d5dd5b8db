#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace tagclip {

// A check of an option's value: returns what is wrong with it, or an empty text.
struct Check {
  std::function<std::string(const std::string& value)> problem;
  std::vector<std::string> words = {};  // the only values there are; empty: many
};

Check one_of(std::vector<std::string> words);
Check whole_number(int64_t low, int64_t high);  // inclusive
Check number(double low, double high);          // inclusive
Check not_empty();

// The variable that an option's value is stored in. A vector takes every value that is given, in
// order; of the others only one may be given. A bool, and a function without an argument, is a
// flag, which takes no value.
using Target = std::variant<bool*, int*, int64_t*, double*, std::string*, std::filesystem::path*,
                            std::vector<std::string>*, std::function<void()>,
                            std::function<void(const std::string&)>>;

// One option of a command, or an argument without a dash. It is declared by OptionList; parsing
// (cli/command_line.h), --help and the reference (cli/help.h) all go by what stands here.
class Option {
 public:
  // `environment`: what the name of its environment variable begins with; empty: it has none.
  Option(const std::string& names, Target target, std::string meaning,
         std::string environment = "");

  // Sets the word for the value in --help, by default N, X, WORD or TEXT by the value's type.
  Option* type_name(std::string name);
  // Every value must pass it. Checks run in the order they were added, before the value is stored.
  Option* check(Check check);
  Option* required();
  // Neither this one nor `other` may be given together with the other.
  Option* excludes(const Option* other);
  // --help shows the value that the target has now, or `value`, as the default.
  Option* show_default();
  Option* show_default(std::string value);
  // The values of a vector may also be given as one, with commas between them.
  Option* comma_separated();

  bool is_positional() const { return long_name_.empty(); }
  bool is_flag() const {
    return std::holds_alternative<bool*>(target_) ||
           std::holds_alternative<std::function<void()>>(target_);
  }
  bool takes_many() const { return std::holds_alternative<std::vector<std::string>*>(target_); }
  bool is_required() const { return required_; }

  const std::string& meaning() const { return meaning_; }
  const std::string& names() const { return names_; }          // as declared: "-o,--output"
  const std::string& long_name() const { return long_name_; }  // "--output"; empty: positional
  // The name in messages: "--output", or "INPUT" of a positional.
  const std::string& name() const { return is_positional() ? names_ : long_name_; }
  // "-o, --output FOLDER", or "INPUT".
  std::string usage() const;
  // The environment variable that gives the value where the command line does not:
  // "TAGCLIP_SEGMENT_OUTPUT". Empty for arguments without a dash and for --help.
  std::string environment_name() const;
  // The words that the value may be; empty: it may be others.
  std::vector<std::string> words() const;
  // The meaning, with the words it may be, whether it is required, and its default.
  std::string help() const;

  // Checks and stores what the command line gave; `values` is empty where it gave nothing. Throws
  // Error(kUsage).
  void store(const std::vector<std::string>& values);
  bool given() const { return given_; }
  const std::vector<const Option*>& excluded() const { return excluded_; }

 private:
  std::string value_name() const;
  void store_one(const std::string& value);

  std::string names_, long_name_;
  Target target_;
  std::string meaning_;
  std::string environment_;
  std::optional<std::string> type_name_;
  std::vector<Check> checks_;
  std::vector<const Option*> excluded_;
  std::string default_;
  bool required_ = false;
  bool comma_separated_ = false;
  bool given_ = false;
};

// The options of one command, in the order of --help.
class OptionList {
 public:
  // `environment` is what the names of the options' environment variables begin with:
  // "TAGCLIP_SEGMENT_"; empty: there are none.
  explicit OptionList(std::string environment = "") : environment_(std::move(environment)) {}

  // `names` is "-o,--output" or "--output", or "INPUT" for an argument without a dash. The target
  // must outlive the list.
  Option* add_option(const std::string& names, Target target, const std::string& meaning);
  Option* add_flag(const std::string& names, bool& target, const std::string& meaning);

  template <class Value>
  Option* add_option(const std::string& names, Value& value, const std::string& meaning) {
    return add_option(names, Target(&value), meaning);
  }

  // Lines below the options. What follows "Example: " is set as code in the reference.
  void footer(std::string text) { footer_ = std::move(text); }
  const std::string& footer() const { return footer_; }

  const std::deque<Option>& all() const { return options_; }
  std::deque<Option>& all() { return options_; }

 private:
  std::deque<Option> options_;  // addresses stay as they are
  std::string footer_;
  std::string environment_;
};

}  // namespace tagclip
