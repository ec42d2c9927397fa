#include "report/downloads.h"

#include <fmt/format.h>

#include <algorithm>

#include "report/groups.h"

namespace mailproof::report {

void settle_downloads(RunResult& run) {
  const auto kept = std::find_if(run.scenarios.begin(), run.scenarios.end(),
                                 [](const ScenarioResult& scenario) { return scenario.kept_download; });
  if (kept == run.scenarios.end()) return;
  for (ScenarioResult& scenario : run.scenarios) {
    bool any = false;
    for (judge::Finding& finding : scenario.findings) {
      const bool gone = class_of(finding.id, scenario.id) == "removal/gone-after-download";
      if (!gone || finding.severity != judge::Severity::latitude || !finding.accepted.empty()) continue;
      finding.severity = judge::Severity::fail;
      finding.actual += fmt::format("; in {} what was downloaded and left stayed, so that it is no policy", kept->id);
      any = true;
    }
    const bool milder = scenario.verdict == judge::Verdict::latitude || scenario.verdict == judge::Verdict::pass ||
                        scenario.verdict == judge::Verdict::inconclusive;
    if (any && milder) scenario.verdict = judge::Verdict::fail;
  }
}

}  // namespace mailproof::report
