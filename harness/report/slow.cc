#include "report/slow.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailproof::report {
namespace {

constexpr std::size_t kFew = 3;  ///< scenarios; below that each says it for itself

bool has(const ScenarioResult& scenario, std::string_view what) {
  return std::any_of(scenario.findings.begin(), scenario.findings.end(), [&](const judge::Finding& finding) {
    return finding.id.starts_with(scenario.id + "/" + std::string(what));
  });
}

}  // namespace

std::string slowness(const RunResult& run) {
  std::size_t played = 0, late = 0, silent = 0;
  for (const ScenarioResult& scenario : run.scenarios) {
    if (scenario.verdict == judge::Verdict::not_applicable) continue;
    ++played;
    if (has(scenario, "conformance/late"))
      ++late;
    else if (has(scenario, "conformance/silent") || has(scenario, "session/no-answer"))
      ++silent;
  }
  // Where nothing came late and the server is wrong otherwise, what does not come is part of that.
  const bool wrong = std::any_of(run.scenarios.begin(), run.scenarios.end(),
                                 [](const ScenarioResult& one) { return one.verdict == judge::Verdict::fail; });
  if (late + silent < kFew || (late == 0 && wrong)) return {};
  std::string how;
  if (late != 0) how += fmt::format("in {} it came when it was waited for three times as long", late);
  if (silent != 0) how += fmt::format("{}in {} it did not come", how.empty() ? "" : ", ", silent);
  return fmt::format(
      "this server, or this machine, is slow: in {} of {} scenarios an answer did not come within its bound, {}; no "
      "RFC "
      "gives a reply a deadline, and --patience N multiplies every bound",
      late + silent, played, how);
}

}  // namespace mailproof::report
