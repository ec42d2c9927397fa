// A baseline, that is a run.json: read, and held against a run that found something.
#include "report/baseline.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

using namespace mailproof;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto baseline = report::parse_baseline({reinterpret_cast<const char*>(data), size}, "run.json");
  if (!baseline) return 0;
  report::RunResult run;
  run.target = "sim";
  run.selection = baseline->selection;
  report::ScenarioResult found;
  found.id = baseline->scenarios.empty() ? "mixed.one" : baseline->scenarios.begin()->first;
  found.verdict = judge::Verdict::fail;
  judge::Finding finding;
  finding.id = found.id + "/loss/lost";
  found.findings.push_back(finding);
  report::ScenarioResult none = found;
  none.verdict = judge::Verdict::not_applicable;
  report::accept_baseline(*baseline, found);
  report::accept_baseline(*baseline, none);
  run.scenarios = {found, none};
  report::compare(*baseline, run);
  return 0;
}
