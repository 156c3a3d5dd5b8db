#include "cli/reference.h"

#include <fmt/format.h>

#include "cli/help.h"

namespace tagclip {
namespace {

constexpr std::string_view kHead = R"(# Commands

This page is what `tagclip --reference` prints; `tagclip COMMAND --help` shows a part of it.

| exit status | meaning |
|---|---|
| 0 | done |
| 1 | failure: no space, no permission, verification failed |
| 2 | the command line or a config asks for something impossible |
| 3 | a file or a text that was given cannot be used |
| 130 | stopped by Ctrl-C, SIGTERM or SIGUSR1 |

Results go to standard output, all other words to standard error. `-q` drops those that are neither
warnings nor errors. `NO_COLOR` is honoured, and nothing moves off a terminal.
)";

constexpr std::string_view kExample = "Example: ";

std::string usage(const CLI::App& command) {
  std::string line = "tagclip " + command.get_name();
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_positional()) continue;
    const std::string name = option->get_name(true) + (option->get_expected_max() > 1 ? "..." : "");
    line += " " + (option->get_required() ? name : "[" + name + "]");
  }
  return line + " [OPTIONS]";
}

bool is_everywhere(const CLI::Option& option) {
  return option.check_lname("help") || option.check_lname("quiet");
}

// A section with a table of the options.
std::string section(const CLI::App& command) {
  std::string text =
      fmt::format("\n## {}\n\n{}.\n\n```\n{}\n```\n\n| option | meaning |\n|---|---|\n",
                  command.get_name(), command.get_description(), usage(command));
  for (const CLI::Option* option : command.get_options()) {
    if (is_everywhere(*option)) continue;
    text += fmt::format("| `{}` | {} |\n", option_usage(*option), option_meaning(*option));
  }
  const std::string& footer = command.get_footer();
  if (footer.empty()) return text;
  const size_t example = footer.find(kExample);
  if (example > 0) text += "\n" + footer.substr(0, example);
  if (example == footer.npos) return text + "\n";
  return text + fmt::format("\n```\n{}\n```\n", footer.substr(example + kExample.size()));
}

}  // namespace

std::string reference_markdown(const CLI::App& app) {
  std::string text(kHead);
  text += "\n| command | what it does |\n|---|---|\n";
  for (const CLI::App* command : app.get_subcommands({})) {
    text += fmt::format("| [{0}](#{0}) | {1} |\n", command->get_name(), command->get_description());
  }
  for (const CLI::App* command : app.get_subcommands({})) text += section(*command);
  return text;
}

}  // namespace tagclip
