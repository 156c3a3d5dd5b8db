#include "cli/parse_errors.h"

#include <fmt/format.h>

#include "base/text_distance.h"

namespace tagclip {
namespace {

std::vector<std::string> long_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

Error unexpected(const CLI::App& command, const std::string& argument, const std::string& help) {
  if (!argument.starts_with("-")) return usage_error(argument + " was not expected", help);
  const std::string name = argument.substr(0, argument.find('='));
  const auto meant = nearest(name, long_names(command));
  return usage_error(fmt::format("{} has no option {}", command.get_name(), name),
                     meant ? "did you mean " + *meant + "?" : help);
}

}  // namespace

Error explain(const CLI::App& app, const CLI::ParseError& error) {
  const auto chosen = app.get_subcommands();
  const CLI::App& command = chosen.empty() ? app : *chosen.front();
  const std::string full_name = chosen.empty() ? "tagclip" : "tagclip " + command.get_name();
  const std::string help = full_name + " --help shows the options";

  const std::vector<std::string> extras = app.remaining(/*recurse=*/true);
  if (error.get_name() == "ExtrasError" && !extras.empty()) return unexpected(command, extras.front(), help);
  const std::string what = error.what();
  if (error.get_name() == "ArgumentMismatch" && what.ends_with("missing")) {
    return usage_error(what.substr(0, what.find(':')) + ": its value is missing", help);
  }
  return usage_error(what, help);
}

}  // namespace tagclip
