#include "cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <optional>

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

  // `environment`: variables of the environment stand in for what is not among the words.
  void store_flags(bool environment) {
    for (const Declared& entry : declared_) {
      if (!entry.option->is_flag()) continue;
      std::vector<std::string> values = entry.parsed->results();
      if (environment && values.empty() && is_on(*entry.option)) values = {"true"};
      entry.option->store(values);
    }
  }

  void store_values(bool environment) {
    for (const Declared& entry : declared_) {
      if (entry.option->is_flag()) continue;
      const std::vector<std::string> values = entry.parsed->results();
      const auto variable =
          environment && values.empty() ? from_environment(*entry.option) : std::nullopt;
      if (!variable) {
        store(*entry.option, values);
        continue;
      }
      try {
        entry.option->store({*variable});
      } catch (const Error& error) {
        throw usage_error(
            fmt::format("{}={}: {}", entry.option->environment_name(), *variable, error.what()),
            "change that environment variable, or unset it");
      }
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

  // Returns nothing where the variable is not set, or empty, or the words hold an option that
  // excludes this one: they come first.
  std::optional<std::string> from_environment(const Option& option) const {
    const std::string name = option.environment_name();
    const char* value = name.empty() ? nullptr : std::getenv(name.c_str());
    if (value == nullptr || *value == 0) return {};
    const auto excludes = [](const Option& a, const Option& b) {
      return std::ranges::find(a.excluded(), &b) != a.excluded().end();
    };
    for (const Declared& other : declared_) {
      if (other.parsed->results().empty()) continue;
      if (excludes(option, *other.option) || excludes(*other.option, option)) return {};
    }
    return value;
  }

  bool is_on(const Option& option) const {
    const std::optional<std::string> value = from_environment(option);
    if (!value || *value == "0" || *value == "false" || *value == "no" || *value == "off") {
      return false;
    }
    if (*value == "1" || *value == "true" || *value == "yes" || *value == "on") return true;
    throw usage_error(fmt::format("{}={}: expected 1 or 0", option.environment_name(), *value),
                      "change that environment variable, or unset it");
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

  void store(Option& option, const std::vector<std::string>& values) const {
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
  parser.store_flags(/*environment=*/true);
  if (help) return;
  // Unknown arguments are reported before missing ones: one may be the other, mistyped.
  if (!unknown.empty()) throw unexpected(command, options, unknown.front());
  parser.store_values(/*environment=*/true);
}

std::vector<std::string> parse_leading_flags(const std::string& program, OptionList& flags,
                                             std::vector<std::string> words) {
  Parser parser(program, flags);
  std::vector<std::string> rest = parser.divide(std::move(words), /*leading_only=*/true);
  parser.store_flags(/*environment=*/false);
  parser.store_values(/*environment=*/false);
  if (!rest.empty() && rest.front().starts_with('-'))
    throw unexpected(program, flags, rest.front());
  return rest;
}

}  // namespace tagclip
