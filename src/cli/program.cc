#include "cli/program.h"

#include <algorithm>
#include <cctype>
#include <deque>
#include <exception>
#include <new>

#include "base/error.h"
#include "base/text.h"
#include "cli/command_line.h"
#include "cli/completion.h"
#include "cli/help.h"
#include "cli/setting_options.h"
#include "cli/terminal.h"

namespace tagclip {
namespace {

// Throws Error(kUsage) where there is none of that name, with the one that may be meant.
const Command& find_command(const Program& program, const std::string& name) {
  std::vector<std::string> names;
  for (const Command& command : program.commands) {
    if (command.name == name) return command;
    names.push_back(command.name);
  }
  const std::string what = "there is no command called " + name;
  if (const auto hint = program.hints.find(name); hint != program.hints.end()) {
    throw usage_error(what, hint->second);
  }
  const auto meant = nearest(name, names);
  throw usage_error(what, meant ? "did you mean " + program.name + " " + *meant + "?"
                                : program.name + " --help lists them");
}

std::string upper_case(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

// A command with its options, declared.
struct Declared {
  Declared(const std::string& program, const Command& command)
      : name(command.name),
        summary(command.summary),
        options(upper_case(program + "_" + command.name + "_")) {
    options.add_flag("-h,--help", help, "Print this help");
    action = command.declare(options);
    options.add_flag("-q,--quiet", quiet, "Print results, warnings and errors only");
  }
  Declared(const Declared&) = delete;

  CommandHelp texts() const { return {name, summary, &options}; }

  std::string name, summary;
  OptionList options;
  bool help = false, quiet = false;
  Action action;
};

// All commands with their options.
struct AllCommands {
  explicit AllCommands(const Program& program) {
    for (const Command& command : program.commands) {
      texts.push_back(declared.emplace_back(program.name, command).texts());
    }
  }

  std::deque<Declared> declared;
  std::vector<CommandHelp> texts;
};

std::string overview(const Program& program, const OptionList& flags) {
  std::vector<CommandHelp> texts;
  for (const Command& command : program.commands) {
    texts.push_back({command.name, command.summary, nullptr});
  }
  return help_text({program.name, program.summary, &flags}, texts);
}

int run_command(const Program& program, const Command& command, std::vector<std::string> words,
                bool quiet, Terminal& terminal) {
  Declared declared(program.name, command);
  parse_command_line(program.name + " " + command.name, declared.options, declared.help,
                     std::move(words));
  terminal.set_quiet(quiet || declared.quiet);
  terminal.set_wording(option_wording(declared.options));
  if (!declared.help) return declared.action(terminal);
  terminal.print(help_text(program.name, declared.texts()));
  return 0;
}

int run(const Program& program, std::vector<std::string> words, Terminal& terminal) {
  bool help = false, version = false, quiet = false, as_markdown = false, as_manual = false;
  std::string shell;
  OptionList flags;
  flags.add_flag("-h,--help", help, "Print this help");
  flags.add_flag("--version", version, "Print the version");
  flags.add_flag("-q,--quiet", quiet, "Print results, warnings and errors only");
  flags.add_option("--completion", shell, "Print a completion script for a shell")
      ->check(one_of(kShells));
  OptionList shown = flags;
  flags.add_flag("--man", as_manual, "Print the manual page");
  flags.add_flag("--reference", as_markdown, "Print the reference of all commands as Markdown");

  words = parse_leading_flags(program.name, flags, std::move(words));
  const bool as_other = version || as_markdown || as_manual || !shell.empty();
  if (!words.empty() && !help && !as_other) {
    const Command& command = find_command(program, words.front());
    words.erase(words.begin());
    return run_command(program, command, std::move(words), quiet, terminal);
  }
  if (as_markdown || as_manual || !shell.empty()) {
    const AllCommands all(program);
    terminal.print(as_markdown ? reference_markdown(program.name, all.texts)
                   : as_manual ? manual_page({program.name, program.summary, &shown},
                                             TAGCLIP_VERSION, all.texts)
                               : completion_script(shell, program.name, all.texts));
    return 0;
  }
  terminal.print(version ? TAGCLIP_VERSION : overview(program, shown));
  return 0;
}

}  // namespace

int run_program(const Program& program, int argc, char** argv) {
  Terminal terminal(program.name);
  try {
    return run(program, std::vector<std::string>(argv + std::min(argc, 1), argv + argc), terminal);
  } catch (const Error& error) {
    terminal.error(error.what(), error.hint());
    return static_cast<int>(error.kind());
  } catch (const std::bad_alloc&) {
    terminal.error("out of memory", "try smaller inputs or fewer at a time");
  } catch (const std::exception& error) {
    terminal.error(error.what(), "this is a fault of tagclip itself; please report it");
  }
  return static_cast<int>(ErrorKind::kFailure);
}

}  // namespace tagclip
