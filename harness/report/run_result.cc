#include "report/run_result.h"

#include <algorithm>
#include <array>

namespace mailproof::report {

int order_of(judge::Verdict verdict) {
  using judge::Verdict;
  constexpr std::array kWorst{Verdict::error,        Verdict::fail,          Verdict::unexpected_pass,
                              Verdict::inconclusive, Verdict::latitude,      Verdict::known_fail,
                              Verdict::pass,         Verdict::not_applicable};
  return static_cast<int>(std::find(kWorst.begin(), kWorst.end(), verdict) - kWorst.begin());
}

int order_of(judge::Severity severity) {
  using judge::Severity;
  constexpr std::array kWorst{Severity::fail, Severity::error, Severity::inconclusive, Severity::latitude};
  return static_cast<int>(std::find(kWorst.begin(), kWorst.end(), severity) - kWorst.begin());
}

std::string_view name(Kind kind) { return kind == Kind::check ? "check" : "story"; }

std::vector<std::string> circumstances(const RunResult& run) {
  std::vector<std::string> out;
  if (!run.began.empty()) out.push_back(run.ended.empty() ? "began " + run.began : run.began + " to " + run.ended);
  if (!run.version.empty()) out.push_back("mailproof " + run.version);
  for (const std::string& endpoint : run.endpoints) {
    const auto said = run.versions.find(endpoint);
    out.push_back(said == run.versions.end() ? endpoint : endpoint + ": " + said->second);
  }
  return out;
}

judge::Verdict verdict_of(const RunResult& run) {
  if (!run.lost.empty()) return judge::Verdict::error;
  std::vector<judge::Verdict> verdicts;
  for (const ScenarioResult& scenario : run.scenarios) verdicts.push_back(scenario.verdict);
  if (!run.everywhere.empty()) verdicts.push_back(judge::Verdict::latitude);
  const judge::Verdict worst = judge::worst(verdicts);
  if (!run.interrupted) return worst;
  return judge::worst(std::array{worst, judge::Verdict::inconclusive});
}

}  // namespace mailproof::report
