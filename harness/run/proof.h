#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "judge/judge.h"
#include "scenario/scenario.h"
#include "scenario/wrong/wrong.h"

namespace mailproof::run {

/// What came of playing a check on one server.
struct Trial {
  std::string server;  ///< "defect pop3.uidl-twice", "C: LIST / S: -ERR"
  judge::Verdict verdict = judge::Verdict::pass;
  std::string note;                         ///< why not-applicable or inconclusive; what a MAY has to say
  std::string expected, actual;             ///< of the first finding that made the verdict
  std::vector<std::string> unreached = {};  ///< blocks of the wrong server that nothing in the check came to
  bool caught = false;                      ///< of a wrong server: the check told it from a right one
  /// Nothing was found but that answers came late, or not in time; of a story: a way of the server that is no
  /// scenario's (report/groups.h), or that it could not be played on.
  bool accuses_nobody = false;
};

/// Whether a check can fail, and does not fail without reason.
struct Proof {
  const scenario::Scenario* scenario = nullptr;
  Trial built_in;
  std::optional<Trial> right;  ///< on the dialogue that has what the built-in server lacks
  /// Unusual servers that the RFC allows: the check passes, is not applicable, or says no more than that they are slow.
  std::vector<Trial> permitted;
  std::vector<Trial> wrong;
  std::vector<std::string> problems;  ///< why nothing is proven; empty = proven
};

/// "MUST"; a story has none and is held to what binds.
std::string level_word(const scenario::Scenario& scenario);

/// What stands in wrong-files for each check, by its full id.
struct WrongCase {
  const scenario::WrongServers* wrong = nullptr;
  const scenario::RightServer* right = nullptr;
  const scenario::WrongServers* permitted = nullptr;
};
using WrongCases = std::map<std::string, WrongCase, std::less<>>;
/// Complains of checks that do not exist, that stand in two files, and of switches the built-in server does not have.
WrongCases cases_of(const std::vector<scenario::WrongFile>& files, std::vector<scenario::Problem>& problems);

/// Plays it on the built-in server in simulation, on the `right` one, and on every permitted and every wrong one.
Proof prove(const scenario::Scenario& scenario, const WrongCase& wrong);

}  // namespace mailproof::run
