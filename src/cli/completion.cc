#include "cli/completion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "base/error.h"

namespace tagclip {
namespace {

std::vector<std::string> names_of(const Option& option) {
  std::vector<std::string> names;
  const std::string& all = option.names();
  const size_t comma = all.find(',');
  names.push_back(all.substr(0, comma));
  if (comma != all.npos) names.push_back(all.substr(comma + 1));
  return names;
}

std::vector<std::string> command_names(const std::vector<CommandHelp>& commands) {
  std::vector<std::string> names;
  for (const CommandHelp& command : commands) names.push_back(command.name);
  return names;
}

// The words of a command line that the options of a command can be.
std::string option_names(const OptionList& options) {
  std::string names;
  for (const Option& option : options.all()) {
    if (option.is_positional()) continue;
    for (const std::string& name : names_of(option)) names += (names.empty() ? "" : " ") + name;
  }
  return names;
}

std::string bash(const std::string& program, const std::vector<CommandHelp>& commands) {
  std::string text = fmt::format(
      "# bash completion of {0}; load it with: source <({0} --completion bash)\n"
      "_{0}() {{\n"
      "  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}}\n"
      "  local command= i\n"
      "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
      "    case ${{COMP_WORDS[i]}} in {1}) command=${{COMP_WORDS[i]}}; break ;; esac\n"
      "  done\n"
      "  COMPREPLY=()\n"
      "  case $command in\n"
      "    '') COMPREPLY=($(compgen -W \"{2} --help --version --quiet\" -- \"$current\")); return "
      ";;\n",
      program, fmt::join(command_names(commands), "|"), fmt::join(command_names(commands), " "));
  for (const CommandHelp& command : commands) {
    text += fmt::format("    {})\n      case $previous in\n", command.name);
    for (const Option& option : command.options->all()) {
      if (option.is_positional() || option.words().empty()) continue;
      text +=
          fmt::format("        {}) COMPREPLY=($(compgen -W \"{}\" -- \"$current\")); return ;;\n",
                      fmt::join(names_of(option), "|"), fmt::join(option.words(), " "));
    }
    text += fmt::format(
        "      esac\n"
        "      [[ $current == -* ]] && COMPREPLY=($(compgen -W \"{}\" -- \"$current\")) ;;\n",
        option_names(*command.options));
  }
  return text + fmt::format("  esac\n}}\ncomplete -o default -F _{0} {0}\n", program);
}

// Text in single quotes.
std::string single_quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

// Text inside the brackets of a zsh specification.
std::string zsh_text(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string zsh(const std::string& program, const std::vector<CommandHelp>& commands) {
  std::string text = fmt::format(
      "#compdef {0}\n# zsh completion of {0}; put it into a folder of $fpath as _{0}\n_{0}() {{\n"
      "  local -a commands=(\n",
      program);
  for (const CommandHelp& command : commands) {
    text += fmt::format("    {}\n", single_quoted(command.name + ":" + zsh_text(command.summary)));
  }
  text +=
      "  )\n  if (( CURRENT == 2 )); then\n    _describe command commands\n    return\n  fi\n"
      "  local command=$words[2]\n  shift words\n  (( CURRENT-- ))\n  case $command in\n";
  for (const CommandHelp& command : commands) {
    text += fmt::format("    {})\n      _arguments", command.name);
    for (const Option& option : command.options->all()) {
      if (option.is_positional()) continue;
      for (const std::string& name : names_of(option)) {
        std::string spec =
            (option.takes_many() ? "*" : "") + name + "[" + zsh_text(option.meaning()) + "]";
        if (!option.is_flag()) {
          spec += option.words().empty()
                      ? std::string(":value:_files")
                      : fmt::format(":value:({})", fmt::join(option.words(), " "));
        }
        text += " \\\n        " + single_quoted(spec);
      }
    }
    text += " \\\n        '*:file:_files' ;;\n";
  }
  return text + fmt::format("  esac\n}}\ncompdef _{0} {0}\n", program);
}

std::string fish(const std::string& program, const std::vector<CommandHelp>& commands) {
  std::string text = fmt::format(
      "# fish completion of {0}; put it into ~/.config/fish/completions/{0}.fish\n", program);
  const std::string none = "__fish_use_subcommand";
  for (const CommandHelp& command : commands) {
    text += fmt::format("complete -c {} -f -n {} -a {} -d {}\n", program, none, command.name,
                        single_quoted(command.summary));
  }
  for (const CommandHelp& command : commands) {
    for (const Option& option : command.options->all()) {
      if (option.is_positional()) continue;
      text +=
          fmt::format("complete -c {} -n '__fish_seen_subcommand_from {}'", program, command.name);
      for (const std::string& name : names_of(option)) {
        text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      if (!option.words().empty()) {
        text += fmt::format(" -x -a {}",
                            single_quoted(fmt::format("{}", fmt::join(option.words(), " "))));
      } else if (!option.is_flag()) {
        text += " -r";
      }
      text += fmt::format(" -d {}\n", single_quoted(option.meaning()));
    }
  }
  return text;
}

// Text as troff takes it: a backslash, a dash and a dot at the start of a line mean something else.
std::string troff(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    const bool starts_line = escaped.empty() || escaped.back() == '\n';
    if (starts_line && (c == '.' || c == '\'')) escaped += "\\&";
    escaped += c == '\\' ? std::string("\\e") : c == '-' ? std::string("\\-") : std::string(1, c);
  }
  return escaped;
}

}  // namespace

std::string completion_script(const std::string& shell, const std::string& program,
                              const std::vector<CommandHelp>& commands) {
  if (shell == "zsh") return zsh(program, commands);
  if (shell == "fish") return fish(program, commands);
  TAGCLIP_CHECK(shell == "bash", shell);
  return bash(program, commands);
}

std::string manual_page(const CommandHelp& program, const std::string& version,
                        const std::vector<CommandHelp>& commands) {
  std::string upper = program.name;
  std::ranges::transform(upper, upper.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  std::string text = fmt::format(
      ".TH {} 1 \"\" \"{} {}\"\n.SH NAME\n{} \\- {}\n.SH SYNOPSIS\n.B {}\n.I COMMAND\n[OPTIONS]\n"
      ".SH DESCRIPTION\nEvery option can also be given by the environment variable in brackets; "
      "the command line comes first.\n",
      upper, program.name, version, program.name, troff(program.summary), program.name);
  for (const CommandHelp& command : commands) {
    text += fmt::format(".SH {} {}\n{}.\n", upper, command.name, troff(command.summary));
    for (const Option& option : command.options->all()) {
      text += fmt::format(".TP\n.B {}\n{}\n", troff(option.usage()), troff(option.help()));
    }
    if (!command.options->footer().empty()) {
      text += fmt::format(".PP\n.nf\n{}\n.fi\n", troff(command.options->footer()));
    }
  }
  return text;
}

}  // namespace tagclip
