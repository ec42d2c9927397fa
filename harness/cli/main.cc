#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/output.h"
#include "core/units.h"
#include "core/version.h"
#include "host/signals.h"

namespace {

/// "did you mean 'run'?" for a first word that is no subcommand; "" when there is nothing to say.
std::string misspelt(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return {};
  std::vector<std::string> known;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; }))
    known.push_back(command->get_name());
  if (std::find(known.begin(), known.end(), argv[1]) != known.end()) return {};
  const auto near = mailproof::nearest_word(argv[1], known);
  return fmt::format(
      "there is no subcommand '{}'; {}", argv[1],
      near ? fmt::format("did you mean '{}'?", *near) : fmt::format("there is: {}", fmt::join(known, ", ")));
}

}  // namespace

int main(int argc, char** argv) {
  using namespace mailproof::cli;
  mailproof::host::catch_signals();
  CLI::App app(
      "mailproof plays mail devices against a mail server, follows every message, and says whether the server kept its "
      "promises.");
  app.set_version_flag("--version", std::string("mailproof ") + mailproof::kVersion);
  app.require_subcommand(1);
  int status = 0;
  add_run(app, status);
  add_load(app, status);
  add_list(app, status);
  add_check(app, status);
  add_server(app, status);
  add_judge(app, status);
  add_probe(app, status);
  add_prove(app, status);
  add_manual(app, status);
  if (const std::string wrong = misspelt(app, argc, argv); !wrong.empty()) return complain(wrong);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kWrongUse;
  } catch (const std::exception& error) {
    say_error(fmt::format("mailproof: internal error: {}\n", error.what()));
    return kTrouble;
  }
  return status;
}
