#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "judge/judge.h"

namespace mailproof::report {

/// What became of one scenario.
struct ScenarioResult {
  std::string id;
  std::string title;
  std::string why;  ///< the scenario's own words
  judge::Verdict verdict = judge::Verdict::pass;
  double seconds = 0;
  std::vector<judge::Finding> findings;
  std::string note;        ///< why not-applicable, inconclusive or known-fail
  std::uint64_t hash = 0;  ///< of the scenario's text; 0 = not known
};

/// A run, as every report is made from it. Complete at any moment: what was not played yet is not in it.
struct RunResult {
  std::uint64_t seed = 0;
  std::string target;                           ///< "sim", "sockets", or the target's name
  std::string version;                          ///< of mailproof
  std::map<std::string, std::string> versions;  ///< of others: what the servers say about themselves
  std::vector<ScenarioResult> scenarios;
  bool interrupted = false;
  double seconds = 0;
};

/// The worst of its scenarios; an interrupted run is inconclusive at best.
judge::Verdict verdict_of(const RunResult& run);

}  // namespace mailproof::report
