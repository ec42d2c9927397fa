#include "report/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "report/conformance.h"
#include "report/escape.h"

namespace mailproof::report {
namespace {

using judge::Finding;
using judge::Severity;
using judge::Verdict;

constexpr std::size_t kMostNamed = 4;    ///< that are like one in full
constexpr std::size_t kMostInFull = 25;  ///< findings; a server that does everything wrong must not hide the first

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

/// "loss/lost" of "<scenario>/loss/lost".
std::string_view short_id(std::string_view id, std::string_view scenario) {
  const bool own = id.size() > scenario.size() && id.starts_with(scenario) && id[scenario.size()] == '/';
  return own ? id.substr(scenario.size() + 1) : id;
}

std::string clock(double seconds) {
  const auto whole = static_cast<long>(std::max(0.0, seconds));
  return fmt::format("{:02}:{:02}", whole / 60, whole % 60);
}

/// Findings of several scenarios that say the same word by word, but for what each saw on the way.
struct Group {
  const Finding* first = nullptr;
  std::vector<std::string> others;  ///< ids
};

std::vector<Group> grouped(const std::vector<const Finding*>& findings) {
  std::map<std::array<std::string_view, 4>, std::size_t> places;
  std::vector<Group> out;
  for (const Finding* finding : findings) {
    const std::array<std::string_view, 4> same = {judge::name(finding->severity), finding->requirement,
                                                  finding->expected, finding->actual};
    const auto [place, fresh] = places.emplace(same, out.size());
    if (fresh)
      out.push_back({finding, {}});
    else
      out[place->second].others.push_back(plain(finding->id));
  }
  return out;
}

/// Findings that count, the worst first, so many of them in full; then the rest, a line each.
std::string findings_text(const RunResult& run, const TextStyle& style) {
  std::vector<const Finding*> findings, accepted;
  for (const ScenarioResult& scenario : run.scenarios)
    for (const Finding& finding : scenario.findings)
      (finding.accepted.empty() ? findings : accepted).push_back(&finding);
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding* a, const Finding* b) { return order_of(a->severity) < order_of(b->severity); });
  std::string out;
  const std::vector<Group> groups = grouped(findings);
  for (std::size_t i = 0; i < groups.size() && i < kMostInFull; ++i) {
    out += fmt::format("\n{}", finding_text(*groups[i].first, style));
    if (!groups[i].others.empty()) out += field("The same in", joined(groups[i].others, kMostNamed));
  }
  if (groups.size() > kMostInFull) {
    std::size_t more = 0;
    for (std::size_t i = kMostInFull; i < groups.size(); ++i) more += 1 + groups[i].others.size();
    out += fmt::format("\n{} more findings, in full in the run's reports:\n", more);
  }
  for (std::size_t i = kMostInFull; i < groups.size(); ++i) {
    const Finding& first = *groups[i].first;
    out += fmt::format("  {} {}: {}{}\n", judge::name(first.severity), plain(first.id), shortened(first.actual, 160),
                       groups[i].others.empty() ? "" : fmt::format(" (the same in {} more)", groups[i].others.size()));
  }
  if (!accepted.empty()) out += "\naccepted, and not counted:\n";
  for (const Finding* finding : accepted)
    out += fmt::format("  {}  ({})\n", plain(finding->id), one_line(finding->accepted));
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
  for (const Finding& finding : scenario.findings) ids.emplace_back(short_id(finding.id, scenario.id));
  if (!ids.empty()) tail = fmt::format("  {}", plain(joined(ids, 3)));
  if (ids.empty() && !scenario.note.empty()) tail = fmt::format("  {}", one_line(scenario.note));
  return fmt::format("{} {:>9.3f} s  {}{}\n", painted(verdict, colour_of(scenario.verdict), style), scenario.seconds,
                     plain(scenario.id), tail);
}

std::string finding_text(const Finding& finding, const TextStyle& style) {
  std::string out = fmt::format("{} {}\n", painted(judge::name(finding.severity), colour_of(finding.severity), style),
                                painted(plain(finding.id), "1", style));
  out += field("Requirement", finding.requirement);
  out += field("Expected", finding.expected);
  out += field("Actual", finding.actual);
  if (!finding.messages.empty()) out += field("Messages", joined(finding.messages, 20));
  out += block("Evidence", finding.evidence, "    | ");
  out += block("Life", finding.life, "    ");
  if (!finding.reproduce.empty()) out += field("Reproduce", finding.reproduce);
  if (!finding.accepted.empty()) out += field("Accepted", finding.accepted);
  return out;
}

std::string run_text(const RunResult& run, const TextStyle& style) {
  std::map<Verdict, std::size_t> totals;
  for (const ScenarioResult& scenario : run.scenarios) ++totals[scenario.verdict];
  std::string out = conformance_text(run) + findings_text(run, style) + remarks_text(run);
  if (!run.notes.empty()) out += "\n";
  for (const std::string& note : run.notes) out += fmt::format("note: {}\n", one_line(note));

  std::string counts;
  for (const Verdict verdict : {Verdict::error, Verdict::fail, Verdict::unexpected_pass, Verdict::inconclusive,
                                Verdict::latitude, Verdict::pass, Verdict::known_fail, Verdict::not_applicable})
    if (totals.contains(verdict))
      counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", totals[verdict], judge::name(verdict));
  const Verdict verdict = verdict_of(run);
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
