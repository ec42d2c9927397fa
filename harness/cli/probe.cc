#include "report/probe.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/probe_survey.h"
#include "cli/target_lock.h"

namespace mailproof::cli {
namespace {

struct ProbeFlags {
  TargetFlags target;
  bool json = false;
  double patience = 1;
};

int probe(const ProbeFlags& flags) {
  if (flags.target.sim)
    return complain("probe speaks to a server over sockets; the simulation has none: try --sockets");
  const auto target = make_target(flags.target);
  if (!target) return complain(target.error().message());
  const auto lock = TargetLock::take(flags.target);
  if (!lock) return complain(lock.error().message());
  const auto hosted = host_builtin(flags.target, *target);
  if (!hosted) return complain(hosted.error().message());
  const report::Probe seen = ProbeSurvey(hosted->target, flags.patience).run();
  fmt::print("{}", flags.json ? report::probe_json(seen)
                              : report::probe_text(seen, report::TextStyle{::isatty(STDOUT_FILENO) == 1}));
  return report::probe_status(seen);
}

}  // namespace

void add_probe(CLI::App& app, int& status) {
  auto flags = std::make_shared<ProbeFlags>();
  auto* command = app.add_subcommand("probe", "Look at what a server offers, and what would get in the way of runs");
  add_target_flags(*command, flags->target);
  command->add_flag("--json", flags->json, "Print JSON (reports/probe.schema.json) instead of text");
  command->add_option("--patience", flags->patience, "Multiplies every bound, for slow machines")
      ->check(CLI::Range(0.1, 100.0))
      ->capture_default_str();
  command->callback([flags, &status] { status = probe(*flags); });
}

}  // namespace mailproof::cli
