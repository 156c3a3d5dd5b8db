#include "cli/reference.h"

#include <fmt/format.h>

namespace tagclip {
namespace {

std::string usage(const CLI::App& command) {
  std::string line = "tagclip " + command.get_name();
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_positional()) continue;
    const std::string name = option->get_name(true);
    line += " " + (option->get_required() ? name : "[" + name + "]");
    if (option->get_expected_max() > 1) line += "...";
  }
  return line + " [OPTIONS]";
}

std::string row(const CLI::Option& option) {
  std::string name = option.get_positional() ? option.get_name(true) : option.get_name(false, true);
  if (!option.get_positional() && option.get_type_size() != 0) name += " " + option.get_type_name();
  const std::string value = option.get_default_str();
  return fmt::format("| `{}` | {}{} |\n", name, option.get_description(),
                     value.empty() ? "" : fmt::format(" (default: {})", value));
}

}  // namespace

std::string reference_markdown(const CLI::App& app) {
  std::string text =
      "# Commands\n\nMade by `tagclip --reference`; do not edit.\n\n"
      "Exit status: 0 done, 1 failure (full disk, no permission, verification failed), 2 usage, "
      "3 bad input, 130 stopped.\n"
      "Results go to standard output, words to standard error; `-q` drops the words. `NO_COLOR` is "
      "honoured.\n";
  for (const CLI::App* command : app.get_subcommands({})) {
    text += fmt::format("\n## tagclip {}\n\n{}\n\n    {}\n\n| option | meaning |\n|---|---|\n",
                        command->get_name(), command->get_description(), usage(*command));
    for (const CLI::Option* option : command->get_options()) {
      if (option->get_name() != "--help") text += row(*option);
    }
    if (!command->get_footer().empty()) text += "\n" + command->get_footer() + "\n";
  }
  text.pop_back();  // the last line gets its end from the printer
  return text;
}

}  // namespace tagclip
