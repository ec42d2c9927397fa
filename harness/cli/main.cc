#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <exception>

#include "cli/commands.h"
#include "cli/signals.h"

int main(int argc, char** argv) {
  using namespace mailproof::cli;
  catch_signals();
  CLI::App app(
      "mailproof plays mail devices against a mail server, follows every message, and says whether the server kept its "
      "promises.");
  app.set_version_flag("--version", std::string("mailproof ") + kVersion);
  app.require_subcommand(1);
  int status = 0;
  add_run(app, status);
  add_load(app, status);
  add_list(app, status);
  add_check(app, status);
  add_server(app, status);
  add_judge(app, status);
  add_probe(app, status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kWrongUse;
  } catch (const std::exception& error) {
    fmt::print(stderr, "mailproof: internal error: {}\n", error.what());
    return kTrouble;
  }
  return status;
}
