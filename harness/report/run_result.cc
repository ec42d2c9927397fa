#include "report/run_result.h"

#include <array>

namespace mailproof::report {

std::string_view name(Kind kind) { return kind == Kind::check ? "check" : "story"; }

judge::Verdict verdict_of(const RunResult& run) {
  std::vector<judge::Verdict> verdicts;
  for (const ScenarioResult& scenario : run.scenarios) verdicts.push_back(scenario.verdict);
  const judge::Verdict worst = judge::worst(verdicts);
  if (!run.interrupted) return worst;
  return judge::worst(std::array{worst, judge::Verdict::inconclusive});
}

}  // namespace mailproof::report
