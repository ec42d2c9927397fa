#include "report/baseline.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

namespace mailproof::report {
namespace {

using Json = nlohmann::json;
using judge::Severity;
using judge::Verdict;

constexpr std::size_t kMostNamed = 20;  ///< in one note

template <class Word>
std::optional<Word> word(const std::string& text, std::initializer_list<Word> all) {
  for (const Word one : all)
    if (judge::name(one) == text) return one;
  return std::nullopt;
}

std::optional<Verdict> verdict(const std::string& text) {
  return word(text, {Verdict::pass, Verdict::latitude, Verdict::inconclusive, Verdict::unexpected_pass, Verdict::fail,
                     Verdict::error, Verdict::not_applicable, Verdict::known_fail});
}

std::optional<Severity> severity(const std::string& text) {
  return word(text, {Severity::fail, Severity::latitude, Severity::inconclusive, Severity::error});
}

bool passed(Verdict verdict) {
  return verdict == Verdict::pass || verdict == Verdict::latitude || verdict == Verdict::unexpected_pass;
}

/// Behind a finding of this severity one of that severity is nothing new.
bool as_bad(Severity before, Severity now) {
  const auto rank = [](Severity s) { return s == Severity::latitude || s == Severity::inconclusive ? 0 : 1; };
  return rank(before) >= rank(now);
}

/// Throws Json::exception where a field is missing or of another type; `wrong` names a word that is none of ours.
void read_scenario(const Json& from, Baseline& out, std::string& wrong) {
  const std::string id = from.at("id").get<std::string>();
  const auto said = verdict(from.at("verdict").get<std::string>());
  if (!said) wrong = fmt::format("{} has a verdict that is none", id);
  const bool again = out.scenarios.contains(id);
  auto& scenario = out.scenarios[id];
  const Verdict now = said.value_or(Verdict::error);
  scenario.verdict = again ? judge::worst(std::array{scenario.verdict, now}) : now;
  scenario.passed = scenario.passed || passed(now);
  for (const Json& finding : from.at("findings")) {
    const auto bad = severity(finding.at("severity").get<std::string>());
    if (!bad) wrong = fmt::format("a finding of {} has a severity that is none", id);
    const auto [at, fresh] =
        scenario.findings.emplace(finding.at("id").get<std::string>(), bad.value_or(Severity::fail));
    if (!fresh && bad && !as_bad(at->second, *bad)) at->second = *bad;
  }
}

std::string named(const std::vector<std::string>& ids) {
  std::string out;
  for (std::size_t i = 0; i < ids.size() && i < kMostNamed; ++i) out += fmt::format("{}{}", i == 0 ? "" : ", ", ids[i]);
  if (ids.size() > kMostNamed) out += fmt::format(" and {} more", ids.size() - kMostNamed);
  return out;
}

bool conclusive(Verdict verdict) {
  return verdict != Verdict::not_applicable && verdict != Verdict::inconclusive && verdict != Verdict::error;
}

}  // namespace

Result<Baseline> parse_baseline(std::string_view text, const std::string& name) {
  Baseline out;
  out.name = name;
  std::string wrong;
  try {
    const Json run = Json::parse(text);
    out.target = run.at("target").get<std::string>();
    out.interrupted = run.value("interrupted", false);
    if (run.contains("selection")) out.selection = run["selection"].get<std::vector<std::string>>();
    for (const Json& scenario : run.at("scenarios")) read_scenario(scenario, out, wrong);
  } catch (const Json::exception& error) {
    wrong = error.what();
  }
  if (!wrong.empty()) return Error{name, fmt::format("this is not the run.json of a run: {}", wrong)};
  return out;
}

void accept_baseline(const Baseline& baseline, ScenarioResult& scenario) {
  const auto found = baseline.scenarios.find(scenario.id);
  if (found == baseline.scenarios.end()) return;
  const Baseline::Scenario& before = found->second;
  if (scenario.verdict == Verdict::not_applicable) {
    if (!before.passed) return;
    judge::Finding gone;
    gone.id = scenario.id + "/baseline/not-applicable";
    gone.requirement =
        "What the target offered in the baseline it offers still; a check that is no longer played must "
        "not look like one that passes";
    gone.expected = fmt::format("{}, as in the baseline {}; or a new baseline, if this is wanted",
                                judge::name(before.verdict), baseline.name);
    gone.actual = fmt::format("not applicable: {}", scenario.note.empty() ? "no reason given" : scenario.note);
    scenario.findings.push_back(std::move(gone));
    scenario.verdict = Verdict::fail;
    return;
  }
  for (auto& finding : scenario.findings) {
    const auto same = before.findings.find(finding.id);
    if (finding.severity == Severity::inconclusive || same == before.findings.end()) continue;
    if (as_bad(same->second, finding.severity)) finding.accepted = "in the baseline " + baseline.name;
  }
}

void compare(const Baseline& baseline, RunResult& run) {
  if (baseline.target != run.target)
    run.notes.push_back(fmt::format("the baseline {} was made on {}", baseline.name, baseline.target));
  if (baseline.interrupted)
    run.notes.push_back(
        fmt::format("the baseline {} was interrupted: what it did not play counts as new", baseline.name));

  std::map<std::string, bool> played;  // what can be said of it now
  std::set<std::string> findings, not_applicable;
  for (const ScenarioResult& scenario : run.scenarios) {
    const auto [at, fresh] = played.emplace(scenario.id, true);
    at->second = at->second && conclusive(scenario.verdict);
    if (scenario.verdict == Verdict::not_applicable) not_applicable.insert(scenario.id);
    for (const auto& finding : scenario.findings) findings.insert(finding.id);
  }
  std::vector<std::string> gone, missing, unplayed;
  for (const auto& [id, before] : baseline.scenarios) {
    const auto now = played.find(id);
    if (now == played.end()) {
      missing.push_back(id);
    } else if (now->second) {
      for (const auto& [finding, severity] : before.findings)
        if (!findings.contains(finding)) gone.push_back(finding);
    } else if (not_applicable.contains(id) && before.verdict != Verdict::not_applicable) {
      unplayed.push_back(fmt::format("{} ({})", id, judge::name(before.verdict)));
    }
  }
  if (!gone.empty()) run.notes.push_back(fmt::format("no longer found: {}", named(gone)));
  if (!unplayed.empty())
    run.notes.push_back(fmt::format("not applicable any more, with its verdict in the baseline: {}", named(unplayed)));
  if (!missing.empty() && !run.interrupted && baseline.selection == run.selection)
    run.notes.push_back(fmt::format("in the baseline {} and not in this run, though the same was asked for: {}",
                                    baseline.name, named(missing)));
}

}  // namespace mailproof::report
