#include "report/gate.h"

#include <fmt/format.h>

#include "report/cause.h"
#include "report/downloads.h"
#include "report/groups.h"
#include "report/slow.h"

namespace mailproof::report {
namespace {

using judge::Severity;
using judge::Verdict;

bool counts(const judge::Finding& finding, bool strict) {
  return finding.severity == Severity::fail || finding.severity == Severity::error ||
         (strict && finding.severity == Severity::latitude);
}

void settle(ScenarioResult& scenario, bool strict) {
  if (scenario.verdict != Verdict::fail && scenario.verdict != Verdict::error) return;
  std::string why;
  bool failed = false, erred = false;
  for (const auto& finding : scenario.findings) {
    if (!counts(finding, strict)) continue;
    if (finding.accepted.empty())
      (finding.severity == Severity::error ? erred : failed) = true;
    else if (why.find(finding.accepted) == std::string::npos)
      why += fmt::format("{}{}", why.empty() ? "" : "; ", finding.accepted);
  }
  if (why.empty() || erred) return;
  scenario.verdict = failed ? Verdict::fail : Verdict::known_fail;
  if (!failed) scenario.note = why;
}

}  // namespace

void accept(const Gate& gate, ScenarioResult& scenario) {
  if (gate.baseline) accept_baseline(*gate.baseline, scenario);
  accept_known(gate.known, gate.today, scenario);
  settle(scenario, gate.strict);
}

void close(const Gate& gate, const std::set<std::string>& ids, RunResult& run) {
  settle_downloads(run);
  for (std::string explanation : {common_cause(run), slowness(run)}) {
    if (explanation.empty()) continue;
    run.notes.insert(run.notes.begin(), std::move(explanation));
    ++run.leading;
  }
  find_unneeded(gate.known, gate.today, ids, run);
  if (gate.baseline) compare(*gate.baseline, run);
  if (!gate.strict) lift_what_is_everywhere(run);
}

}  // namespace mailproof::report
