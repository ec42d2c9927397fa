#include "report/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "report/conformance.h"
#include "report/escape.h"
#include "report/groups.h"

namespace mailproof::report {
namespace {

using judge::Verdict;

// Octets. GitHub takes a megabyte of a step's summary; people do not.
constexpr std::size_t kMost = 64U << 10, kSpare = 256;
constexpr std::size_t kMostTable = 24U << 10, kMostSections = 8U << 10, kMostReasons = 4U << 10;
constexpr std::size_t kMostNotes = 10, kMostOthers = 30, kMostIndex = 8U << 10;

/// A table of sections counts it, a list of reasons says why: one among hundreds needs no row.
bool only_counted(const ScenarioResult& scenario) {
  return scenario.kind == Kind::check && scenario.verdict == Verdict::not_applicable;
}

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

std::string finding(const Group& group) {
  const judge::Finding& f = group.simplest();
  std::string out = fmt::format("\n### {}\n\n", markdown(group.headline()));
  out += fmt::format("- **Severity:** {}\n", judge::name(group.severity));
  if (group.members.size() > 1) out += fmt::format("- **Simplest:** {}\n", markdown(f.id));
  out += fmt::format("- **Requirement:** {}\n", markdown(f.requirement));
  out += fmt::format("- **Expected:** {}\n", markdown(f.expected));
  out += fmt::format("- **Actual:** {}\n", markdown(f.actual));
  if (!group.since().empty()) out += fmt::format("- **Since:** {}\n", markdown(group.since()));
  if (!f.evidence.empty()) out += "\nEvidence:\n\n" + code(f.evidence);
  if (!f.life.empty()) out += "\nThe life of the message:\n\n" + code(f.life);
  if (!f.reproduce.empty()) out += "\nReproduce:\n\n" + code({f.reproduce});
  std::vector<std::string> others = group.others();
  const std::size_t more = others.size() - std::min(others.size(), kMostOthers);
  others.resize(others.size() - more);
  if (more != 0) others.push_back(fmt::format("and {} more, which are in run.json", more));
  if (!others.empty()) out += "\nAlso in:\n\n" + code(others);
  return out;
}

std::string notes(const RunResult& run, std::size_t from, std::size_t to) {
  std::string out;
  for (std::size_t i = from; i < run.notes.size() && i < to; ++i)
    out += fmt::format("{}- {}\n", out.empty() ? "\n" : "", markdown(shortened(run.notes[i], 400)));
  return out;
}

/// The first that is read: what is wrong, a line each.
std::string index(const std::vector<Group>& groups) {
  std::string rows;
  for (const Group& group : groups) {
    if (!group.accepted.empty() || rows.size() > kMostIndex) break;
    rows += fmt::format("| {} | {} | {} |\n", judge::name(group.severity), markdown(group.headline()),
                        markdown(shortened(group.simplest().requirement, 160)));
  }
  return rows.empty() ? rows : "\n| | finding | what is broken |\n| --- | --- | --- |\n" + rows;
}

/// Checks that could not be played, counted by the reason why.
std::string not_applicable(const RunResult& run) {
  std::map<std::string, std::size_t> reasons;
  for (const ScenarioResult& scenario : run.scenarios)
    if (only_counted(scenario)) ++reasons[scenario.note];
  std::string out;
  for (const auto& [reason, count] : reasons) {
    if (out.size() > kMostReasons) return out + "- and more\n";
    out += fmt::format("- {} {}: {}\n", count, count == 1 ? "check" : "checks",
                       markdown(shortened(reason.empty() ? "no reason given" : reason, 200)));
  }
  return out.empty() ? out : fmt::format("\nNot applicable:\n\n{}", out);
}

std::string by_rfc_section(const RunResult& run) {
  const auto sections = by_section(run);
  if (sections.empty()) return {};
  std::string out = "\n| section | pass | fail | latitude | n/a | |\n| --- | --: | --: | --: | --: | --- |\n";
  for (const SectionResult& one : sections) {
    if (out.size() > kMostSections) return out + "| more in report.html | | | | | |\n";
    out += fmt::format("| {} |", markdown(one.section.title()));
    for (const Verdict column : kSectionColumns) out += fmt::format(" {} |", one.count(column));
    out += fmt::format(" {} |\n", one.others());
  }
  return out;
}

/// A scenario that did not pass: its findings without the part of their ids that stands beside them.
std::string table_row(const ScenarioResult& scenario) {
  std::string what = markdown(shortened(scenario.note, 400)), again;
  for (const judge::Finding& f : scenario.findings) {
    if (!what.empty()) what += "; ";
    what += markdown(class_of(f.id, scenario.id));
    if (!f.accepted.empty()) what += " (accepted)";
    if (again.empty() && !f.reproduce.empty()) again = fmt::format("<code>{}</code>", markdown(f.reproduce));
  }
  return fmt::format("| {} | {} | {} | {:.3f} | {} |\n", markdown(scenario.id), judge::name(scenario.verdict), what,
                     scenario.seconds, again);
}

std::string not_passed(const RunResult& run) {
  std::vector<const ScenarioResult*> rows;
  for (const ScenarioResult& scenario : run.scenarios)
    if (scenario.verdict != Verdict::pass && !only_counted(scenario)) rows.push_back(&scenario);
  std::stable_sort(rows.begin(), rows.end(), [](const ScenarioResult* a, const ScenarioResult* b) {
    return order_of(a->verdict) < order_of(b->verdict);
  });
  if (rows.empty()) return {};
  std::string out = "\n| scenario | verdict | what | seconds | show it again |\n| --- | --- | --- | --- | --- |\n";
  std::size_t shown = 0;
  for (; shown < rows.size(); ++shown) {
    const std::string row = table_row(*rows[shown]);
    if (out.size() + row.size() > kMostTable) break;
    out += row;
  }
  if (shown < rows.size()) out += fmt::format("\n{} more are in report.html.\n", rows.size() - shown);
  return out;
}

/// Those that count, the worst first, as many as there is room for.
std::string findings(const std::vector<Group>& groups, std::size_t room) {
  if (groups.empty() || !groups.front().accepted.empty()) return {};
  std::string out = "\n## Findings\n";
  std::size_t left_out = 0;
  for (const Group& group : groups) {
    if (!group.accepted.empty()) break;
    const std::string text = finding(group);
    if (out.size() + text.size() > room)
      ++left_out;
    else
      out += text;
  }
  if (left_out != 0) out += fmt::format("\n{} more are in report.html.\n", left_out);
  return out;
}

}  // namespace

std::string summary_markdown(const RunResult& run) {
  std::string out = fmt::format("# mailproof: {}\n\n", judge::name(verdict_of(run)));
  out +=
      fmt::format("{} scenarios on {} in {:.1f} s; seed {}; mailproof {}.\n", run.scenarios.size(),
                  markdown(shortened(run.target, 200)), run.seconds, run.seed, markdown(shortened(run.version, 200)));
  for (const std::string& one : circumstances(run)) out += fmt::format("\n- {}", markdown(shortened(one, 400)));
  if (!circumstances(run).empty()) out += '\n';
  if (run.interrupted) out += "\n**Interrupted: the rest was not played.**\n";
  out += notes(run, 0, run.leading);

  std::map<Verdict, std::size_t> totals;
  for (const ScenarioResult& scenario : run.scenarios) ++totals[scenario.verdict];
  const std::vector<Group> groups = groups_of(run);
  out += index(groups) + notes(run, run.leading, kMostNotes);
  out += "\n| verdict | scenarios |\n| --- | --- |\n";
  for (const auto& [which, count] : totals) out += fmt::format("| {} | {} |\n", judge::name(which), count);
  out += not_passed(run) + by_rfc_section(run) + not_applicable(run);
  return out + findings(groups, kMost - std::min(kMost, out.size() + kSpare));
}

}  // namespace mailproof::report
