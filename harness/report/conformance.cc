#include "report/conformance.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "report/escape.h"

namespace mailproof::report {
namespace {

using judge::Verdict;

constexpr std::size_t kMostReasons = 20;

std::string reasons_text(const RunResult& run) {
  std::map<std::string, std::size_t> reasons;
  for (const ScenarioResult& scenario : run.scenarios)
    if (scenario.kind == Kind::check && scenario.verdict == Verdict::not_applicable) ++reasons[one_line(scenario.note)];
  if (reasons.empty()) return {};
  std::vector<std::pair<std::string, std::size_t>> sorted(reasons.begin(), reasons.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string out = "\nnot applicable:\n";
  for (std::size_t i = 0; i < sorted.size() && i < kMostReasons; ++i)
    out += fmt::format("{:>6} x  {}\n", sorted[i].second, sorted[i].first);
  if (sorted.size() > kMostReasons) out += fmt::format("{:>10} more reasons\n", sorted.size() - kMostReasons);
  return out;
}

constexpr std::size_t kMostSections = 60;  ///< that a terminal shows one by one

}  // namespace

std::size_t SectionResult::count(Verdict verdict) const {
  return static_cast<std::size_t>(
      std::count_if(checks.begin(), checks.end(), [&](const ScenarioResult* one) { return one->verdict == verdict; }));
}

std::string SectionResult::others() const {
  std::string out;
  for (const Verdict verdict : {Verdict::error, Verdict::unexpected_pass, Verdict::inconclusive, Verdict::known_fail})
    if (const std::size_t n = count(verdict); n != 0)
      out += fmt::format("{}{} {}", out.empty() ? "" : ", ", n, judge::name(verdict));
  return out;
}

std::vector<SectionResult> by_section(const RunResult& run) {
  std::map<Section, SectionResult> sections;
  for (const ScenarioResult& scenario : run.scenarios) {
    if (scenario.kind != Kind::check) continue;
    const Section section = section_of(scenario.id);
    auto& one = sections[section];
    one.section = section;
    one.checks.push_back(&scenario);
  }
  std::vector<SectionResult> out;
  for (auto& [section, result] : sections) out.push_back(std::move(result));
  return out;
}

namespace {

/// "imap.9051" for "imap.9051-6.3.4": what nobody would read by the section is read by the RFC.
std::vector<SectionResult> by_rfc(const std::vector<SectionResult>& sections) {
  std::vector<SectionResult> out;
  std::map<std::string, std::size_t> places;
  for (const SectionResult& one : sections) {
    const std::string file = one.section.file.substr(0, one.section.file.find('-'));
    const auto [at, fresh] = places.emplace(file, out.size());
    if (fresh) out.push_back({{file, one.section.rfc, ""}, {}});
    auto& checks = out[at->second].checks;
    checks.insert(checks.end(), one.checks.begin(), one.checks.end());
  }
  return out;
}

}  // namespace

std::string conformance_text(const RunResult& run) {
  auto sections = by_section(run);
  if (sections.empty()) return {};
  const bool many = sections.size() > kMostSections;
  if (many) sections = by_rfc(sections);
  const std::string_view by = many ? "by RFC" : "by RFC section";
  std::size_t width = by.size();
  for (const auto& one : sections) width = std::max(width, one.section.file.size());
  std::string out = fmt::format("\n{:<{}}", by, width);
  for (const Verdict column : kSectionColumns) out += fmt::format("  {:>{}}", judge::name(column), 4);
  out += "\n";
  for (const auto& one : sections) {
    out += fmt::format("{:<{}}", plain(one.section.file), width);
    for (const Verdict column : kSectionColumns)
      out += fmt::format("  {:>{}}", one.count(column), std::max<std::size_t>(4, judge::name(column).size()));
    const std::string others = one.others();
    out += others.empty() ? "\n" : fmt::format("  {}\n", others);
  }
  return out + reasons_text(run);
}

}  // namespace mailproof::report
