#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace tagclip {
namespace {

std::string help_hint(const std::string& command) { return command + " --help shows the options"; }

Error unexpected(const std::string& command, const OptionList& options,
                 const std::string& argument) {
  if (!argument.starts_with('-')) {
    return usage_error(argument + " was not expected", help_hint(command));
  }
  std::vector<std::string> names;
  for (const Option& option : options.all()) {
    if (!option.is_positional()) names.push_back(option.long_name());
  }
  const std::string name = argument.substr(0, argument.find('='));
  return usage_error("there is no option " + name, did_you_mean(name, names, help_hint(command)));
}

// CLI11 divides the words among the options; what may be given how often, and which values, is
// checked here.
class Parser {
 public:
  Parser(const std::string& command, OptionList& options) : command_(command) {
    app_.set_help_flag();
    for (Option& option : options.all()) declared_.push_back({&option, declare(option)});
  }

  // Returns the words that belong to no option.
  std::vector<std::string> divide(std::vector<std::string> words, bool leading_only) {
    app_.prefix_command(leading_only);
    app_.allow_extras();
    std::ranges::reverse(words);  // as CLI11 takes them
    try {
      app_.parse(words);
    } catch (const CLI::ArgumentMismatch& error) {
      throw usage_error(option_of(error).name() + ": its value is missing", help_hint(command_));
    } catch (const CLI::ParseError& error) {
      throw usage_error(error.what(), help_hint(command_));
    }
    return app_.remaining();
  }

  void store_flags() {
    for (const Declared& entry : declared_) {
      if (entry.option->is_flag()) entry.option->store(entry.parsed->results());
    }
  }

  void store_values() {
    for (const Declared& entry : declared_) {
      if (!entry.option->is_flag()) store(*entry.option, entry.parsed->results());
    }
    for (const Declared& entry : declared_) check_exclusion(*entry.option);
  }

 private:
  struct Declared {
    Option* option;
    CLI::Option* parsed;
  };

  CLI::Option* declare(const Option& option) {
    if (option.is_flag()) return app_.add_flag(option.names());
    CLI::Option* parsed = app_.add_option(option.names());
    if (option.is_positional() && option.takes_many()) parsed->expected(-1);
    return parsed->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }

  // An error of CLI11 begins with the name of the option.
  const Option& option_of(const CLI::ArgumentMismatch& error) const {
    const std::string what = error.what();
    const auto found = std::ranges::find_if(declared_, [&](const Declared& entry) {
      return what.starts_with(entry.option->name() + ":");
    });
    TAGCLIP_CHECK(found != declared_.end(), what);
    return *found->option;
  }

  void store(Option& option, std::vector<std::string> values) const {
    try {
      option.store(values);
    } catch (const Error& error) {
      throw usage_error(error.what(), help_hint(command_));
    }
  }

  void check_exclusion(const Option& option) const {
    for (const Option* other : option.excluded()) {
      if (!option.given() || !other->given()) continue;
      throw usage_error(option.name() + " and " + other->name() + " exclude each other",
                        help_hint(command_));
    }
  }

  std::string command_;
  CLI::App app_;
  std::vector<Declared> declared_;
};

}  // namespace

void parse_command_line(const std::string& command, OptionList& options, const bool& help,
                        std::vector<std::string> words) {
  Parser parser(command, options);
  const std::vector<std::string> unknown = parser.divide(std::move(words), /*leading_only=*/false);
  parser.store_flags();
  if (help) return;
  // Unknown arguments are reported before missing ones: one may be the other, mistyped.
  if (!unknown.empty()) throw unexpected(command, options, unknown.front());
  parser.store_values();
}

std::vector<std::string> parse_leading_flags(const std::string& program, OptionList& flags,
                                             std::vector<std::string> words) {
  Parser parser(program, flags);
  std::vector<std::string> rest = parser.divide(std::move(words), /*leading_only=*/true);
  parser.store_flags();
  if (!rest.empty() && rest.front().starts_with('-'))
    throw unexpected(program, flags, rest.front());
  return rest;
}

}  // namespace tagclip
