// tagclip COMMAND [OPTIONS]: the table of commands, and what becomes of their errors.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <new>
#include <sstream>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/parse_errors.h"
#include "cli/reference.h"
#include "cli/terminal.h"

namespace tagclip {
namespace {

const std::vector<Command>& commands() {
  static const std::vector<Command> table = {
      segment_command(),    embed_command(),  data_command(),     train_command(),  eval_command(),
      experiment_command(), report_command(), pretrain_command(), verify_command(), info_command(),
      convert_command(),    fetch_command(),  tokenize_command(), bench_command(),
  };
  return table;
}

// A first word that is no command, with the command it may have been meant for.
void check_command_name(int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  std::vector<std::string> names;
  for (const Command& command : commands()) names.push_back(command.name);
  if (std::ranges::find(names, argv[1]) != names.end()) return;
  const auto meant = nearest(argv[1], names);
  throw usage_error(std::string("there is no command called ") + argv[1],
                    meant ? "did you mean tagclip " + *meant + "?" : "tagclip --help lists them");
}

// What the command line asks for.
struct Request {
  bool quiet = false;
  bool reference = false;
  Action action;  // empty: no command was named
};

void declare_options(CLI::App& app, Request& request) {
  const auto add_quiet = [&](CLI::App& to) {
    to.add_flag("-q,--quiet", request.quiet, "Print results, warnings and errors only");
  };
  app.require_subcommand(0, 1);
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_help_flag("-h,--help", "Print this help");
  app.set_version_flag("--version", TAGCLIP_VERSION, "Print the version");
  add_quiet(app);
  app.add_flag("--reference", request.reference, "Print the reference of all commands as Markdown")
      ->group("");
  app.footer("tagclip COMMAND --help tells more.");
  for (const Command& command : commands()) {
    CLI::App* sub = app.add_subcommand(command.name, command.summary);
    sub->group("Commands")->footer("");
    sub->callback([&request, action = command.declare(*sub)] { request.action = action; });
    add_quiet(*sub);
  }
}

int run(int argc, char** argv, Terminal& terminal) {
  CLI::App app("Open-vocabulary semantic segmentation: a photo and your own words in, masks out.",
               "tagclip");
  Request request;
  declare_options(app, request);
  check_command_name(argc, argv);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    std::ostringstream answer;
    app.exit(asked, answer, answer);
    terminal.print(answer.str());
    return 0;
  } catch (const CLI::ParseError& error) {
    throw explain(app, error);
  }
  terminal.set_quiet(request.quiet);
  if (request.action) return request.action(terminal);
  terminal.print(request.reference ? reference_markdown(app) : app.help());
  return 0;
}

}  // namespace
}  // namespace tagclip

int main(int argc, char** argv) {
  using namespace tagclip;
  Terminal terminal;
  try {
    return run(argc, argv, terminal);
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
