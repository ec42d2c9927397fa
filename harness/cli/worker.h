#pragma once
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

#include "cli/options.h"
#include "cli/run_directory.h"
#include "cli/run_rules.h"
#include "core/wrong_dialogue.h"
#include "play/player.h"
#include "report/gate.h"
#include "report/run_result.h"

namespace mailproof::cli {

/// The target's accounts, lent to one scenario at a time. Any thread.
class AccountPool {
 public:
  explicit AccountPool(const scenario::Target& target) : target_(target) {}
  struct Lease {
    std::vector<std::size_t> indexes;
    std::vector<scenario::PoolAccount> accounts;
  };
  /// Waits while other scenarios hold what is needed. Nothing, with `why`, if the pool could never serve this one, or
  /// when none of the first could even be looked into: a wrong password tried on every account ends in locked ones.
  std::optional<Lease> lease(const scenario::Scenario& scenario, std::string& why);
  struct Use {
    bool usable = true;   ///< false: they are not lent again
    bool begun = false;   ///< somebody looked into their mailboxes
    std::string trouble;  ///< what came in the way
  };
  void give_back(const Lease& lease, Use use);

 private:
  const scenario::Target& target_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<bool> taken_;
  std::size_t out_ = 0;
  bool begun_ = false;      ///< the mailboxes of one at least could be looked into
  std::size_t failed_ = 0;  ///< leases of which they could not, before that
  std::string trouble_;     ///< of the newest of them
};

/// One scenario to be played: which, which copy, and where its files go.
struct Job {
  const scenario::Scenario* scenario = nullptr;
  std::uint32_t copy = 0;
  std::size_t slot = 0;
};

/// What all jobs of a run share.
struct RunSetup {
  const scenario::Target* target = nullptr;
  const PlayFlags* flags = nullptr;
  AccountPool* pool = nullptr;
  HostedServer* hosted = nullptr;  ///< --sockets: what plays the target
  /// Held shared by everybody who plays, alone by a scenario that restarts, kills or pauses the target.
  std::shared_mutex* quiet = nullptr;
  const RunDirectory* directory = nullptr;                ///< null: nothing is written
  RunRules* rules = nullptr;                              ///< null: no check of the run looks at wire rules
  const std::vector<WrongDialogue>* dialogues = nullptr;  ///< --sim: what stands in front of the built-in server
  std::vector<std::string>* unreached = nullptr;          ///< ... is told which of its blocks nobody came to
  const report::Gate* gate = nullptr;                     ///< what is accepted though it is wrong; null: nothing
  std::chrono::steady_clock::time_point start;
  std::uint64_t run_id = 0;
  std::string date;
};

/// Plays and judges one scenario on the calling thread.
report::ScenarioResult play(const RunSetup& setup, const Job& job);

net::LoopOptions loop_options(const RunSetup& setup);
/// Admin steps on what `setup` plays against, over sockets.
std::unique_ptr<Admin> make_admin(const RunSetup& setup, net::Loop& loop);
play::PlayOptions play_options(const RunSetup& setup, std::uint32_t copy);
/// The command that plays a scenario again, and thereby shows what was found in it.
std::string reproduce_command(const PlayFlags& flags, const scenario::Scenario& scenario);
/// The same for one of its repetitions.
std::string with_copy(const std::string& command, std::uint32_t copy);

/// What is not all there, or was not written down, accuses nobody: what was seen may be explained by what is missing.
void withhold(report::ScenarioResult& result, judge::Verdict verdict);

/// What the judges make of a history, and the gate of that: the same when it was just played and a year later.
report::ScenarioResult judged(const history::History& history, const report::Gate* gate, bool strict);

}  // namespace mailproof::cli
