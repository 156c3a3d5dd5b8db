#include "cli/help.h"

#include <fmt/format.h>

#include <map>

namespace tagclip {
namespace {

constexpr size_t kNameColumn = 26;
constexpr size_t kWidth = 80;

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// CLI11 joins the name of an option's type and what its validators say of it by colons.
std::string type_part(const CLI::Option& option) {
  const std::string name = option.get_type_name();
  return name.substr(0, name.find(':'));
}

// "cpu, cuda" of "TEXT:{cpu,cuda}"; empty for other types.
std::string choices(const CLI::Option& option) {
  const std::string name = option.get_type_name();
  const size_t open = name.find('{'), close = name.rfind('}');
  if (open == name.npos || close == name.npos) return {};
  std::string words = name.substr(open + 1, close - open - 1);
  replace_all(words, ",", ", ");
  return words;
}

std::string value_name(const CLI::Option& option) {
  static const std::map<std::string, std::string> kNames = {
      {"INT", "N"}, {"UINT", "N"}, {"FLOAT", "X"}};
  if (!choices(option).empty()) return "WORD";
  const auto found = kNames.find(type_part(option));
  return found == kNames.end() ? type_part(option) : found->second;
}

// `text` in lines that fit beside the column of names.
std::string wrapped(const std::string& text) {
  constexpr size_t kLine = kWidth - kNameColumn;
  std::string lines;
  for (size_t start = 0; start < text.size();) {
    size_t end = text.size();
    if (end - start > kLine) {
      const size_t space = text.rfind(' ', start + kLine);
      end = space == text.npos || space <= start ? start + kLine : space;
    }
    if (start > 0) lines += '\n';
    lines += text.substr(start, end - start);
    start = end + (end < text.size() && text[end] == ' ');
  }
  return lines;
}

std::string row(const std::string& name, const std::string& meaning) {
  std::ostringstream text;
  CLI::detail::format_help(text, name, wrapped(meaning), kNameColumn);
  return text.str();
}

}  // namespace

std::string option_usage(const CLI::Option& option) {
  if (option.get_positional()) return option.get_name(true);
  std::string name = option.get_name(false, true);
  replace_all(name, ",", ", ");
  const std::string value = value_name(option);
  return value.empty() ? name : name + " " + value;
}

std::string option_meaning(const CLI::Option& option) {
  std::string notes = choices(option);
  const auto add = [&](const std::string& note) { notes += (notes.empty() ? "" : "; ") + note; };
  if (option.get_required()) add("required");
  if (const std::string value = option.get_default_str(); !value.empty()) add("default " + value);
  return option.get_description() + (notes.empty() ? "" : " (" + notes + ")");
}

HelpFormatter::HelpFormatter() {
  label("SUBCOMMAND", "COMMAND");
  label("Positionals", "Arguments");
}

std::string HelpFormatter::make_help(const CLI::App* app, std::string name,
                                     CLI::AppFormatMode mode) const {
  std::string text = Formatter::make_help(app, std::move(name), mode);
  replace_all(text, "\nUsage:", "\n\nUsage:");
  while (text.find("\n\n\n") != text.npos) replace_all(text, "\n\n\n", "\n\n");
  while (text.ends_with("\n\n")) text.pop_back();
  return text;
}

std::string HelpFormatter::make_option(const CLI::Option* option, bool) const {
  return row(option_usage(*option), option_meaning(*option));
}

std::string HelpFormatter::make_subcommand(const CLI::App* command) const {
  return row(command->get_name(), command->get_description());
}

}  // namespace tagclip
