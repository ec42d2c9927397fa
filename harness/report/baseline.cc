#include "report/baseline.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "core/json_text.h"
#include "report/json_values.h"

namespace mailproof::report {
namespace {

using Json = nlohmann::ordered_json;
using judge::Severity;
using judge::Verdict;

constexpr std::size_t kMostNamed = 20;  ///< in one note

template <class Word>
std::optional<Word> word(std::string_view text, std::initializer_list<Word> all) {
  for (const Word one : all)
    if (judge::name(one) == text) return one;
  return std::nullopt;
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

/// What is not as in a run.json, as the end of a sentence about it.
struct NoRun {
  std::string why;
};

/// A field that must be there and of this type; `of` names the object.
const Json& field(const Json& from, const char* key, Json::value_t type, const std::string& of) {
  if (!from.is_object()) throw NoRun{fmt::format("{} is no object", of)};
  const auto found = from.find(key);
  if (found == from.end()) throw NoRun{fmt::format("{} has no '{}'", of, key)};
  if (found->type() != type)
    throw NoRun{fmt::format("the '{}' of {} is no {}", key, of, type == Json::value_t::array ? "list" : "text")};
  return *found;
}

std::string text_of(const Json& from, const char* key, const std::string& of) {
  return field(from, key, Json::value_t::string, of).get<std::string>();
}

void read_scenario(const Json& from, std::size_t number, Baseline& out) {
  const std::string id = text_of(from, "id", fmt::format("its scenario {}", number));
  const auto said = verdict_named(text_of(from, "verdict", id));
  if (!said) throw NoRun{fmt::format("{} has a verdict that is none", id)};
  const bool again = out.scenarios.contains(id);
  auto& scenario = out.scenarios[id];
  scenario.verdict = again ? judge::worst(std::array{scenario.verdict, *said}) : *said;
  scenario.passed = scenario.passed || passed(*said);
  const std::string finding_of = fmt::format("a finding of {}", id);
  for (const Json& finding : field(from, "findings", Json::value_t::array, id)) {
    const auto bad = severity(text_of(finding, "severity", finding_of));
    if (!bad) throw NoRun{fmt::format("{} has a severity that is none", finding_of)};
    const auto [at, fresh] = scenario.findings.emplace(text_of(finding, "id", finding_of), *bad);
    if (!fresh && !as_bad(at->second, *bad)) at->second = *bad;
  }
}

std::string named(const std::vector<std::string>& ids) {
  std::string out;
  for (std::size_t i = 0; i < ids.size() && i < kMostNamed; ++i) out += fmt::format("{}{}", i == 0 ? "" : ", ", ids[i]);
  if (ids.size() > kMostNamed) out += fmt::format(" and {} more", ids.size() - kMostNamed);
  return out;
}

}  // namespace

std::optional<Verdict> verdict_named(std::string_view text) {
  return word(text, {Verdict::pass, Verdict::latitude, Verdict::inconclusive, Verdict::unexpected_pass, Verdict::fail,
                     Verdict::error, Verdict::not_applicable, Verdict::known_fail});
}

Result<Baseline> parse_baseline(std::string_view text, const std::string& name) {
  Baseline out;
  out.name = name;
  try {
    const Json run = read_ordered_json(text);
    out.target = text_of(run, "target", "it");
    if (run.contains("interrupted")) out.interrupted = run["interrupted"] == true;
    if (run.contains("selection"))
      for (const Json& word : field(run, "selection", Json::value_t::array, "it"))
        if (word.is_string()) out.selection.push_back(word.get<std::string>());
    std::size_t number = 0;
    for (const Json& scenario : field(run, "scenarios", Json::value_t::array, "it"))
      read_scenario(scenario, ++number, out);
  } catch (const Json::parse_error& error) {
    const auto [line, column] = place_in(text, error.byte);
    return Error{"",
                 fmt::format("{} is no run.json of mailproof: it is broken at line {}, column {}", name, line, column)};
  } catch (const Json::exception&) {  // 1e999 is no number that anything here holds
    return Error{"", fmt::format("{} is no run.json of mailproof: a number in it is out of every range", name)};
  } catch (const NoRun& wrong) {
    return Error{"", fmt::format("{} is no run.json of mailproof: {}", name, wrong.why)};
  }
  return out;
}

void accept_baseline(const Baseline& baseline, ScenarioResult& scenario) {
  const auto found = baseline.scenarios.find(scenario.id);
  for (auto& finding : scenario.findings)
    if (found == baseline.scenarios.end() || !found->second.findings.contains(finding.id))
      finding.since = "new since the baseline " + baseline.name;
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
