#include "cli/behaviour.h"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <shared_mutex>
#include <thread>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/target_lock.h"
#include "host/signals.h"
#include "report/behaviour.h"
#include "run/worker.h"

namespace mailproof::cli {
namespace {

/// In the order of the jobs; what was interrupted before its turn is left out.
std::vector<report::ScenarioResult> play_all(const run::Setup& setup, const std::vector<scenario::Scenario>& scenarios,
                                             unsigned threads) {
  std::vector<std::optional<report::ScenarioResult>> results(scenarios.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    while (!host::interrupted() && !nobody_reads()) {
      const std::size_t i = next++;
      if (i >= scenarios.size()) return;
      results[i] = run::play(setup, {&scenarios[i], 0, i});
    }
  };
  std::vector<std::thread> others;
  for (unsigned i = 1; i < threads; ++i) others.emplace_back(work);
  work();
  for (auto& thread : others) thread.join();
  std::vector<report::ScenarioResult> out;
  for (auto& one : results)
    if (one) out.push_back(std::move(*one));
  return out;
}

}  // namespace

int probe_behaviour(const BehaviourFlags& flags) {
  const auto target = make_target(flags.target);
  if (!target) return complain(target.error().message());
  const auto lock = TargetLock::take(flags.target, *target);
  if (!lock) return complain(lock.error().message());
  const auto scenarios = load_scenarios({scenario::behaviour_folder(flags.scenarios)}, flags.scenarios);
  if (!scenarios) return kWrongUse;
  const auto hosted = host_builtin(flags.target, *target);
  if (!hosted) return complain(hosted.error().message());

  host::end_in_order();
  run::AccountPool pool(hosted->target);
  std::shared_mutex quiet;
  run::Setup setup = setup_of(flags, *hosted);
  setup.pool = &pool;
  setup.quiet = &quiet;

  report::Behaviours seen;
  seen.target = flags.target.sim ? "sim" : hosted->target.name;
  seen.version = kVersion;
  seen.at = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  seen.all = report::by_topic(play_all(setup, *scenarios, flags.jobs));
  seen.interrupted = host::interrupted() || nobody_reads();
  if (flags.json)
    say_json(report::behaviours_json(seen));
  else
    say(report::behaviours_text(seen, {coloured()}));
  return report::behaviours_status(seen);
}

}  // namespace mailproof::cli
