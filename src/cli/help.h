#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace tagclip {

// "-o, --output FOLDER", or "INPUT" for an argument without a dash.
std::string option_usage(const CLI::Option& option);

// What it means, with the words it may be and its default.
std::string option_meaning(const CLI::Option& option);

// --help in 80 columns.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter();
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_subcommand(const CLI::App* command) const override;
};

}  // namespace tagclip
