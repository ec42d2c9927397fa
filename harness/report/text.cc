#include "report/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "report/conformance.h"
#include "report/escape.h"
#include "report/groups.h"

namespace mailproof::report {
namespace {

using judge::Finding;
using judge::Severity;
using judge::Verdict;

constexpr std::size_t kMostNamed = 12;      ///< scenarios that show the same as one in full
constexpr std::size_t kMostListed = 30;     ///< the same, where each has something of its own to tell
constexpr std::size_t kMostInFull = 6;      ///< causes
constexpr std::size_t kMostSentence = 120;  ///< octets of it, in a headline

std::string painted(std::string_view text, std::string_view code, const TextStyle& style) {
  return style.colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

std::string_view colour_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "32";
    case Verdict::latitude:
    case Verdict::inconclusive:
      return "33";
    case Verdict::fail:
    case Verdict::unexpected_pass:
    case Verdict::error:
      return "1;31";
    case Verdict::not_applicable:
    case Verdict::known_fail:
      return "2";
  }
  return "0";
}

std::string_view colour_of(Severity severity) {
  return severity == Severity::fail || severity == Severity::error ? "1;31" : "33";
}

std::string lines_under(std::string_view text, std::string_view indent) {
  std::string out = std::string(indent);
  for (const char c : plain(text)) {
    out += c;
    if (c == '\n') out += indent;
  }
  return out;
}

std::string field(std::string_view label, std::string_view text) {
  const std::string all = lines_under(text, "               ");
  return fmt::format("  {:<13}{}\n", fmt::format("{}:", label), std::string_view(all).substr(15));
}

std::string block(std::string_view label, const std::vector<std::string>& lines, std::string_view indent) {
  if (lines.empty()) return {};
  std::string out = fmt::format("  {}:\n", label);
  for (const std::string& line : lines) out += lines_under(line, indent) + "\n";
  return out;
}

std::string joined(const std::vector<std::string>& words, std::size_t most) {
  std::string out;
  for (std::size_t i = 0; i < words.size() && i < most; ++i) out += fmt::format("{}{}", i == 0 ? "" : ", ", words[i]);
  if (words.size() > most) out += fmt::format(" and {} more", words.size() - most);
  return out;
}

std::string clock(double seconds) {
  const auto whole = static_cast<long>(std::max(0.0, seconds));
  return fmt::format("{:02}:{:02}", whole / 60, whole % 60);
}

std::string fields(const Finding& finding) {
  std::string out = field("Requirement", finding.requirement);
  out += field("Expected", finding.expected);
  out += field("Actual", finding.actual);
  if (!finding.messages.empty()) out += field("Messages", joined(finding.messages, 20));
  out += block("Evidence", finding.evidence, "    | ");
  out += block("Life", finding.life, "    ");
  if (!finding.reproduce.empty()) out += field("Reproduce", finding.reproduce);
  if (!finding.accepted.empty()) out += field("Accepted", finding.accepted);
  if (!finding.since.empty()) out += field("Since", finding.since);
  return out;
}

/// "fail loss/lost in 36 scenarios"
std::string headline_text(const Group& group, const TextStyle& style) {
  return fmt::format("{} {}", painted(judge::name(group.severity), colour_of(group.severity), style),
                     painted(plain(group.headline()), "1", style));
}

/// So many of them as a person reads.
std::vector<std::string> listed(std::vector<std::string> lines) {
  if (lines.size() <= kMostListed) return lines;
  const std::size_t more = lines.size() - kMostListed;
  lines.resize(kMostListed);
  lines.push_back(fmt::format("and {} more", more));
  return lines;
}

/// In full what is wrong at the simplest place where it was seen, and where else.
std::string group_text(const Group& group, const TextStyle& style) {
  const Finding& simplest = group.simplest();
  if (group.members.size() == 1) return finding_text(simplest, style);
  std::string out =
      fmt::format("{}\n", headline_text(group, style)) + field("Simplest", simplest.id) + fields(simplest);
  const auto others = group.others();
  return out +
         (group.differ() ? block("Also in", listed(others), "    ") : field("Also in", joined(others, kMostNamed)));
}

std::string notes_text(const RunResult& run, std::size_t from, std::size_t to) {
  std::string out;
  for (std::size_t i = from; i < run.notes.size() && i < to; ++i)
    out += fmt::format("{}note: {}\n", out.empty() ? "\n" : "", one_line(run.notes[i]));
  return out;
}

/// A line for each cause, what else is to be known, then the first causes in full. Nothing of a server that does
/// everything wrong may hide the first line, nor what came of it the cause.
std::string findings_text(const RunResult& run, const TextStyle& style) {
  const std::vector<Group> groups = groups_of(run);
  const auto counted = static_cast<std::size_t>(
      std::count_if(groups.begin(), groups.end(), [](const Group& one) { return one.accepted.empty(); }));
  std::string out = notes_text(run, 0, run.leading);
  if (counted > 1 || (counted == 1 && groups.front().members.size() > 1)) {
    out += '\n';
    for (std::size_t i = 0; i < counted; ++i)
      out += fmt::format("{}: {}\n", headline_text(groups[i], style), groups[i].sentence(kMostSentence));
  }
  out += notes_text(run, run.leading, run.notes.size());
  for (std::size_t i = 0; i < counted && i < kMostInFull; ++i) out += fmt::format("\n{}", group_text(groups[i], style));
  if (counted > kMostInFull) out += fmt::format("\n{} more are in full in the run's reports\n", counted - kMostInFull);
  if (counted < groups.size()) out += "\naccepted, and not counted:\n";
  for (std::size_t i = counted; i < groups.size(); ++i)
    out += fmt::format("  {}  ({})\n", plain(groups[i].headline()), one_line(groups[i].accepted));
  return out;
}

/// What no finding tells: entries that are not needed any more, or that expired.
std::string remarks_text(const RunResult& run) {
  std::string out;
  for (const ScenarioResult& scenario : run.scenarios)
    if (scenario.verdict == Verdict::unexpected_pass || (scenario.verdict == Verdict::fail && !scenario.note.empty()))
      out += fmt::format("\n{} {}: {}\n", judge::name(scenario.verdict), plain(scenario.id), one_line(scenario.note));
  return out;
}

}  // namespace

std::string scenario_line(const ScenarioResult& scenario, const TextStyle& style) {
  const std::string verdict = fmt::format("{:<15}", judge::name(scenario.verdict));
  std::string tail;
  std::vector<std::string> ids;
  for (const Finding& finding : scenario.findings) ids.emplace_back(class_of(finding.id, scenario.id));
  if (!ids.empty()) tail = fmt::format("  {}", plain(joined(ids, 3)));
  if (ids.empty() && !scenario.note.empty()) tail = fmt::format("  {}", one_line(scenario.note));
  return fmt::format("{} {:>9.3f} s  {}{}\n", painted(verdict, colour_of(scenario.verdict), style), scenario.seconds,
                     plain(scenario.id), tail);
}

std::string finding_text(const Finding& finding, const TextStyle& style) {
  return fmt::format("{} {}\n", painted(judge::name(finding.severity), colour_of(finding.severity), style),
                     painted(plain(finding.id), "1", style)) +
         fields(finding);
}

std::string run_text(const RunResult& run, const TextStyle& style) {
  std::map<Verdict, std::size_t> totals;
  for (const ScenarioResult& scenario : run.scenarios) ++totals[scenario.verdict];
  std::string out = findings_text(run, style) + conformance_text(run) + remarks_text(run);

  std::string counts;
  for (const Verdict verdict : {Verdict::error, Verdict::fail, Verdict::unexpected_pass, Verdict::inconclusive,
                                Verdict::latitude, Verdict::pass, Verdict::known_fail, Verdict::not_applicable})
    if (totals.contains(verdict))
      counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", totals[verdict], judge::name(verdict));
  const Verdict verdict = verdict_of(run);
  // In simulation none of it says anything.
  if (!run.endpoints.empty()) {
    out += '\n';
    for (const std::string& one : circumstances(run)) out += fmt::format("{}\n", one_line(one));
  }
  out += fmt::format(
      "\n{}: {} {} on {} in {:.1f} s, seed {}{}{}{}\n", painted(judge::name(verdict), colour_of(verdict), style),
      run.scenarios.size(), run.scenarios.size() == 1 ? "scenario" : "scenarios", plain(run.target), run.seconds,
      run.seed, counts.empty() ? "" : ": ", counts, run.interrupted ? "; interrupted: the rest was not played" : "");
  return out;
}

std::string progress_line(const Progress& progress, std::size_t width) {
  std::string out = fmt::format("{:>4} of {} played", progress.done, progress.total);
  if (progress.failed != 0) out += fmt::format(", {} failed", progress.failed);
  out += fmt::format(", {} gone", clock(progress.elapsed));
  if (progress.done != 0 && progress.done < progress.total)
    out += fmt::format(", about {} to go", clock(progress.elapsed / static_cast<double>(progress.done) *
                                                 static_cast<double>(progress.total - progress.done)));
  if (!progress.running.empty()) out += fmt::format(": {}", one_line(progress.running));
  if (out.size() > width) out = out.substr(0, width < 3 ? 0 : width - 3) + "...";
  return out;
}

}  // namespace mailproof::report
