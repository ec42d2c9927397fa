#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "report/run_result.h"

namespace mailproof::report {

/// An earlier run, against which a new one is held: only what is new in it fails.
struct Baseline {
  struct Scenario {
    judge::Verdict verdict = judge::Verdict::pass;    ///< the worst of its copies
    bool passed = false;                              ///< pass, latitude or unexpected-pass, in some copy
    std::map<std::string, judge::Severity> findings;  ///< by id, as bad as it got
  };
  std::string name;  ///< of the file, for people
  std::string target;
  bool interrupted = false;
  std::vector<std::string> selection;
  std::map<std::string, Scenario> scenarios;
};

/// The verdict that run.json calls so.
std::optional<judge::Verdict> verdict_named(std::string_view text);

/// Reads a run.json. The error says what is not as in one.
Result<Baseline> parse_baseline(std::string_view text, const std::string& name);

/// Sets `accepted` of findings of severity fail, latitude and error that the baseline has too. One that was a latitude
/// there and is a failure now is new. A scenario that passed there and is not applicable now gets a finding and fails:
/// a release that stops offering something must not go green. What the baseline has not is told as new (`since`).
void accept_baseline(const Baseline& baseline, ScenarioResult& scenario);

/// Once all is played: what the baseline has and the run has not goes into the run's notes. Scenarios that are missing
/// are said only where the same was asked for.
void compare(const Baseline& baseline, RunResult& run);

}  // namespace mailproof::report
