#include "cli/help.h"

#include <fmt/format.h>

namespace tagclip {
namespace {

constexpr size_t kNameColumn = 26;
constexpr size_t kWidth = 80;

constexpr std::string_view kReferenceHead = R"(# Commands

This page is what `{0} --reference` prints; `{0} COMMAND --help` shows a part of it.

| exit status | meaning |
|---|---|
| 0 | done |
| 1 | failure: no space, no permission, verification failed |
| 2 | the command line or a config asks for something impossible |
| 3 | a file or a text that was given cannot be used |
| 75 | a scheduler (SIGTERM, SIGUSR1) stopped train, pretrain, experiment or eval: start it again; training goes on where it was |
| 130 | stopped by Ctrl-C, other commands by any of these signals; serve then ends as it should, with 0 |

Results go to standard output, all other words to standard error. `-q` drops those that are neither
warnings nor errors. `NO_COLOR` is honoured, and nothing moves off a terminal.
)";

constexpr std::string_view kExample = "Example: ";

// A name and, from kNameColumn on, lines of its meaning that fit the width.
std::string row(const std::string& name, const std::string& meaning) {
  constexpr size_t kLine = kWidth - kNameColumn;
  std::string text = "  " + name;
  if (text.size() >= kNameColumn) {
    text += '\n' + std::string(kNameColumn, ' ');
  } else {
    text.resize(kNameColumn, ' ');
  }
  for (size_t start = 0; start < meaning.size();) {
    size_t end = meaning.size();
    if (end - start > kLine) {
      const size_t space = meaning.rfind(' ', start + kLine);
      end = space == meaning.npos || space <= start ? start + kLine : space;
    }
    if (start > 0) text += '\n' + std::string(kNameColumn, ' ');
    text += meaning.substr(start, end - start);
    start = end + (end < meaning.size() && meaning[end] == ' ');
  }
  return text + '\n';
}

// The rows of the options that are arguments without a dash, or of all others; empty where there
// are none.
std::string rows(const OptionList& options, bool positional) {
  std::string text;
  for (const Option& option : options.all()) {
    if (option.is_positional() == positional) text += row(option.usage(), option.help());
  }
  return text;
}

std::string arguments(const OptionList& options) {
  std::string text;
  for (const Option& option : options.all()) {
    if (!option.is_positional()) continue;
    const std::string name = option.name() + (option.takes_many() ? "..." : "");
    text += option.is_required() ? " " + name : fmt::format(" [{}]", name);
  }
  return text;
}

bool is_everywhere(const Option& option) {
  return option.long_name() == "--help" || option.long_name() == "--quiet";
}

// A section of the reference, with a table of the options.
std::string section(const std::string& program, const CommandHelp& command) {
  const OptionList& options = *command.options;
  std::string text = fmt::format(
      "\n## {0}\n\n{1}.\n\n```\n{2} {0}{3} [OPTIONS]\n```\n\n| option | meaning |\n|---|---|\n",
      command.name, command.summary, program, arguments(options));
  for (const Option& option : options.all()) {
    if (is_everywhere(option)) continue;
    text += fmt::format("| `{}` | {} |\n", option.usage(), option.help());
  }
  const std::string& footer = options.footer();
  if (footer.empty()) return text;
  const size_t example = footer.find(kExample);
  if (example > 0) text += fmt::format("\n{}", footer.substr(0, example));
  if (example == footer.npos) return text + "\n";
  return text + fmt::format("\n```\n{}\n```\n", footer.substr(example + kExample.size()));
}

}  // namespace

std::string help_text(const std::string& program, const CommandHelp& command) {
  const OptionList& options = *command.options;
  std::string text = fmt::format("{}\n\nUsage: {} {} [OPTIONS]{}\n", command.summary, program,
                                 command.name, arguments(options));
  const std::string positional = rows(options, true);
  if (!positional.empty()) text += "\nArguments:\n" + positional;
  text += "\nOptions:\n" + rows(options, false);
  if (!options.footer().empty()) text += "\n" + options.footer() + "\n";
  return text;
}

std::string help_text(const CommandHelp& program, const std::vector<CommandHelp>& commands) {
  std::string text = fmt::format("{}\n\nUsage: {} [OPTIONS] [COMMAND]\n\nOptions:\n{}\nCommands:\n",
                                 program.summary, program.name, rows(*program.options, false));
  for (const CommandHelp& command : commands) text += row(command.name, command.summary);
  return text + fmt::format("\n{} COMMAND --help tells more.\n", program.name);
}

std::string reference_markdown(const std::string& program,
                               const std::vector<CommandHelp>& commands) {
  std::string text = fmt::format(kReferenceHead, program);
  text += "\n| command | what it does |\n|---|---|\n";
  for (const CommandHelp& command : commands) {
    text += fmt::format("| [{0}](#{0}) | {1} |\n", command.name, command.summary);
  }
  for (const CommandHelp& command : commands) text += section(program, command);
  return text;
}

}  // namespace tagclip
