#include "cli/parse_errors.h"

#include <fmt/format.h>

#include "base/text.h"

namespace tagclip {
namespace {

std::vector<std::string> long_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::string full_name(const CLI::App& command) {
  return command.get_parent() == nullptr ? "tagclip" : "tagclip " + command.get_name();
}

Error unexpected(const CLI::App& command, const std::string& argument, const std::string& help) {
  if (!argument.starts_with("-")) return usage_error(argument + " was not expected", help);
  const std::string name = argument.substr(0, argument.find('='));
  const auto meant = nearest(name, long_names(command));
  return usage_error("there is no option " + name, meant ? "did you mean " + *meant + "?" : help);
}

}  // namespace

Error explain(const CLI::App& app, const CLI::ParseError& error) {
  const auto chosen = app.get_subcommands();
  const CLI::App& command = chosen.empty() ? app : *chosen.front();
  const std::string help = full_name(command) + " --help shows the options";

  // What nobody knows comes before what is missing: the one may be the other, mistyped.
  const std::vector<std::string> unknown = app.remaining(/*recurse=*/true);
  if (!unknown.empty()) return unexpected(command, unknown.front(), help);
  const std::string what = error.what();
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    const bool missing = what.ends_with("missing");
    return usage_error(what.substr(0, what.find(':')) +
                           (missing ? ": its value is missing" : ": given more than once"),
                       help);
  }
  return usage_error(what, help);
}

}  // namespace tagclip
