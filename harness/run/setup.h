#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

#include "archive/run_directory.h"
#include "core/wrong_dialogue.h"
#include "host/builtin.h"
#include "host/owed.h"
#include "report/gate.h"
#include "run/accounts.h"
#include "run/said.h"
#include "run/wire_rules.h"

namespace mailproof::run {

/// How scenarios are played and judged, whoever asks for it.
struct Settings {
  std::uint64_t seed = 1;                              ///< of everything random
  double patience = 1;                                 ///< multiplies every bound
  bool keep = false;                                   ///< our messages stay in the mailboxes
  bool own_mailboxes = false;                          ///< other mail may be there, be read and be removed
  bool strict = false;                                 ///< a latitude fails
  bool slow = false;                                   ///< also what waits out a server's timer
  std::optional<host::BuiltinOptions> simulated = {};  ///< this built-in server, in simulation; none: over sockets
};

/// What all scenarios of a run share.
struct Setup {
  Settings settings;
  const scenario::Target* target = nullptr;
  AccountPool* pool = nullptr;
  host::HostedServer* hosted = nullptr;  ///< the built-in server over sockets: what plays the target
  host::Owed* owed = nullptr;            ///< never null for a target: what is to be set back there
  /// Held shared by everybody who plays, alone by a scenario from which others could suffer (play::plays_alone).
  std::shared_mutex* quiet = nullptr;
  const archive::RunDirectory* directory = nullptr;       ///< null: nothing is written
  ServersSaid* said = nullptr;                            ///< null: nobody asks what servers say of themselves
  RunRules* rules = nullptr;                              ///< null: no check of the run looks at wire rules
  const std::vector<WrongDialogue>* dialogues = nullptr;  ///< in simulation: what stands in front of the server
  std::vector<std::string>* unreached = nullptr;          ///< ... is told which of its blocks nobody came to
  const report::Gate* gate = nullptr;                     ///< what is accepted though it is wrong; null: nothing
  /// The command that plays a scenario again, and thereby shows what was found in it.
  std::function<std::string(const scenario::Scenario&)> command = {};
  /// Is told when the calling thread has nothing to do but wait (run/crew.h), and when that is over.
  std::function<void(bool begins)> waits = {};
  /// Sees each history when it has ended. Any thread.
  std::function<void(const history::History&)> watch = {};
  std::chrono::steady_clock::time_point start;
  std::uint64_t run_id = 0;
  std::string date;  ///< of the messages (RFC 5322)
};

}  // namespace mailproof::run
