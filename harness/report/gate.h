#pragma once
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "report/baseline.h"
#include "report/known.h"
#include "report/run_result.h"

namespace mailproof::report {

/// What of a run is accepted although it is wrong: known deviations of the target, and what an earlier run had already.
/// Findings stay and are shown; they do not count.
struct Gate {
  std::vector<Known> known;
  std::optional<Baseline> baseline;
  std::string today;    ///< "2026-11-22"
  bool strict = false;  ///< a latitude counts as a failure
};

/// Settles one scenario's verdict as soon as it is played: known-fail where every finding that counts is accepted. A
/// failure beside an error of our own that is not accepted stays an error.
void accept(const Gate& gate, ScenarioResult& scenario);

/// What only the whole run shows goes into its notes: an error that nearly all of it ended in, entries that excuse
/// nothing, and what the baseline had. `ids`: every scenario there is.
void close(const Gate& gate, const std::set<std::string>& ids, RunResult& run);

}  // namespace mailproof::report
