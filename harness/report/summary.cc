#include "report/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "report/escape.h"

namespace mailproof::report {
namespace {

using judge::Verdict;

/// A fence longer than any run of backticks inside, so that nothing a server said can end it.
std::string code(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += plain(line) + "\n";
  std::size_t longest = 2, run = 0;
  for (const char c : all) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(longest + 1, '`');
  return fmt::format("{}text\n{}{}\n", fence, all, fence);
}

std::string finding(const judge::Finding& f) {
  std::string out = fmt::format("\n### {}\n\n", markdown(f.id));
  out += fmt::format("- **Severity:** {}\n", judge::name(f.severity));
  out += fmt::format("- **Requirement:** {}\n", markdown(f.requirement));
  out += fmt::format("- **Expected:** {}\n", markdown(f.expected));
  out += fmt::format("- **Actual:** {}\n", markdown(f.actual));
  if (!f.evidence.empty()) out += "\nEvidence:\n\n" + code(f.evidence);
  if (!f.life.empty()) out += "\nThe life of the message:\n\n" + code(f.life);
  if (!f.reproduce.empty()) out += "\nReproduce:\n\n" + code({f.reproduce});
  return out;
}

}  // namespace

std::string summary_markdown(const RunResult& run) {
  const Verdict verdict = verdict_of(run);
  std::string out = fmt::format("# mailproof: {}\n\n", judge::name(verdict));
  out += fmt::format("{} scenarios on {} in {:.1f} s; seed {}; mailproof {}.\n", run.scenarios.size(),
                     markdown(run.target), run.seconds, run.seed, markdown(run.version));
  if (run.interrupted) out += "\n**Interrupted: the rest was not played.**\n";

  std::map<Verdict, std::size_t> totals;
  for (const ScenarioResult& scenario : run.scenarios) ++totals[scenario.verdict];
  out += "\n| verdict | scenarios |\n| --- | --- |\n";
  for (const auto& [which, count] : totals) out += fmt::format("| {} | {} |\n", judge::name(which), count);

  std::string table, findings;
  for (const ScenarioResult& scenario : run.scenarios) {
    if (scenario.verdict == Verdict::pass) continue;
    std::string what = markdown(scenario.note);
    for (const judge::Finding& f : scenario.findings) {
      if (!what.empty()) what += "; ";
      what += markdown(f.id.starts_with(scenario.id + "/") ? f.id.substr(scenario.id.size() + 1) : f.id);
    }
    table += fmt::format("| {} | {} | {} | {:.3f} |\n", markdown(scenario.id), judge::name(scenario.verdict), what,
                         scenario.seconds);
    for (const judge::Finding& f : scenario.findings) findings += finding(f);
  }
  if (!table.empty()) out += "\n| scenario | verdict | what | seconds |\n| --- | --- | --- | --- |\n" + table;
  if (!findings.empty()) out += "\n## Findings\n" + findings;
  return out;
}

}  // namespace mailproof::report
