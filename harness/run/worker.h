#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "net/loop.h"
#include "play/player.h"
#include "report/run_result.h"
#include "run/setup.h"

namespace mailproof::run {

/// One scenario to be played: which, which copy, and where its files go.
struct Job {
  const scenario::Scenario* scenario = nullptr;
  std::uint32_t copy = 0;
  std::size_t slot = 0;
};

/// Plays and judges one scenario on the calling thread. Never throws: what is thrown on the way is an error of this
/// scenario alone, and stands in its history where there is one.
report::ScenarioResult play(const Setup& setup, const Job& job);

/// How long a scenario may wait for nothing but time on that target: what its talk says, and the settling time of what
/// is refused to a full mailbox, whose sender may yet get a report. A guess, to begin the longest first.
Duration waits_out(const scenario::Scenario& scenario, const scenario::Target& target);

net::LoopOptions loop_options(const Setup& setup);
/// Admin steps on what `setup` plays against, over sockets.
std::unique_ptr<Admin> make_admin(const Setup& setup, net::Loop& loop);
play::PlayOptions play_options(const Setup& setup, std::uint32_t copy);
/// An error of our own, where no history can say it.
report::ScenarioResult broken_off(std::string_view id, std::string_view doing, const std::string& what);
/// The command of Setup, for one of a scenario's repetitions.
std::string with_copy(const std::string& command, std::uint32_t copy);

/// What is not all there, or was not written down, accuses nobody: what was seen may be explained by what is missing.
void withhold(report::ScenarioResult& result, judge::Verdict verdict);

/// What the judges make of a history, and the gate of that: the same when it was just played and a year later. What is
/// thrown on the way is an error of this scenario.
report::ScenarioResult judged(const history::History& history, const report::Gate* gate, bool strict);

}  // namespace mailproof::run
