#include "explore/shrink_play.h"

#include <algorithm>

#include "explore/write.h"
#include "report/groups.h"

namespace mailproof::explore {
namespace {

std::optional<scenario::Scenario> read(const scenario::Node& story, const std::string& path) {
  auto loaded = scenario::parse(write(story).text, path);
  if (!loaded.problems.empty() || loaded.scenarios.size() != 1) return std::nullopt;
  return std::move(loaded.scenarios.front());
}

}  // namespace

std::optional<Failure> failure_of(const report::ScenarioResult& result, std::string_view finding_class) {
  if (result.verdict == judge::Verdict::error || result.verdict == judge::Verdict::inconclusive) return std::nullopt;
  for (const judge::Finding& finding : result.findings) {
    const auto found = report::class_of(finding.id, result.id);
    const bool wanted = finding_class.empty() ? finding.severity == judge::Severity::fail && finding.accepted.empty()
                                              : found == finding_class;
    if (wanted) return Failure{std::string(found), finding.severity, result.verdict, finding.requirement};
  }
  return std::nullopt;
}

bool Replay::shows(const report::ScenarioResult& result) const {
  return result.verdict == failure_.verdict &&
         std::any_of(result.findings.begin(), result.findings.end(), [&](const judge::Finding& finding) {
           return finding.severity == failure_.severity &&
                  report::class_of(finding.id, result.id) == failure_.finding_class;
         });
}

bool Replay::still_fails(const scenario::Node& story) {
  const auto scenario = read(story, options_.path);
  if (!scenario) return false;
  std::optional<std::uint32_t> failed;
  for (std::uint32_t i = 0; i < options_.times && !failed; ++i) {
    ++played_;
    if (shows(tested_(*scenario, options_.copy + i))) failed = options_.copy + i;
  }
  if (!failed) return false;
  if (!right_) return true;
  ++played_;
  const auto verdict = right_(*scenario, *failed).verdict;
  return verdict == judge::Verdict::pass || verdict == judge::Verdict::latitude;
}

Rate Replay::rate(const scenario::Node& story, unsigned times) {
  Rate out;
  const auto scenario = read(story, options_.path);
  for (std::uint32_t i = 0; scenario && i < times; ++i) {
    ++played_;
    ++out.played;
    if (!shows(tested_(*scenario, options_.copy + i))) continue;
    ++out.failed;
    if (!out.first) out.first = options_.copy + i;
  }
  return out;
}

}  // namespace mailproof::explore
