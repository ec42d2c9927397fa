#include "report/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "report/escape.h"
#include "report/groups.h"
#include "report/json_values.h"
#include "report/section.h"

namespace mailproof::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostMessages =
    1000;  ///< named in a finding; of a hundred thousand that are lost the rest is counted

Json finding_json(const judge::Finding& finding) {
  Json out;
  out["id"] = plain(finding.id);
  out["severity"] = judge::name(finding.severity);
  out["requirement"] = plain(finding.requirement);
  out["expected"] = plain(finding.expected);
  out["actual"] = plain(finding.actual);
  out["evidence"] = texts(finding.evidence);
  out["life"] = texts(finding.life);
  const std::size_t named = std::min(finding.messages.size(), kMostMessages);
  out["messages"] = texts({finding.messages.begin(), finding.messages.begin() + static_cast<std::ptrdiff_t>(named)});
  if (finding.messages.size() > named) out["more_messages"] = finding.messages.size() - named;
  out["events"] = finding.events;
  out["reproduce"] = plain(finding.reproduce);
  if (!finding.accepted.empty()) out["accepted"] = plain(finding.accepted);
  if (!finding.since.empty()) out["since"] = plain(finding.since);
  return out;
}

Json scenario_json(const ScenarioResult& scenario) {
  Json out;
  out["id"] = plain(scenario.id);
  if (!scenario.title.empty()) out["title"] = plain(scenario.title);
  if (!scenario.why.empty()) out["why"] = plain(scenario.why);
  out["kind"] = name(scenario.kind);
  if (!scenario.level.empty()) out["level"] = plain(scenario.level);
  if (const Section section = section_of(scenario.id); scenario.kind == Kind::check && !section.rfc.empty()) {
    out["rfc"] = section.rfc;
    out["section"] = section.section;
  }
  out["verdict"] = judge::name(scenario.verdict);
  out["seconds"] = scenario.seconds;
  if (!scenario.note.empty()) out["note"] = plain(scenario.note);
  if (scenario.hash != 0) out["hash"] = fmt::format("{:016x}", scenario.hash);
  out["findings"] = Json::array();
  for (const judge::Finding& finding : scenario.findings) out["findings"].push_back(finding_json(finding));
  return out;
}

/// What of it is one and the same thing, in how many scenarios.
Json causes_json(const RunResult& run) {
  Json out = Json::array();
  for (const Group& group : groups_of(run)) {
    Json one;
    one["class"] = plain(group.name);
    one["severity"] = judge::name(group.severity);
    one["scenarios"] = group.scenarios;
    one["simplest"] = plain(group.simplest().id);
    one["everywhere"] = group.everywhere;
    one["findings"] = Json::array();
    for (const Group::Member& member : group.members) one["findings"].push_back(plain(member.finding->id));
    if (!group.accepted.empty()) one["accepted"] = plain(group.accepted);
    if (!group.since().empty()) one["since"] = plain(group.since());
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace

Json texts(const std::vector<std::string>& lines) {
  Json out = Json::array();
  for (const std::string& line : lines) out.push_back(plain(line));
  return out;
}

std::string run_json(const RunResult& run) { return run_json(run, {}, {}); }

std::string run_json(const RunResult& run, const std::string& extra, const Json& more) {
  Json out;
  out["verdict"] = judge::name(verdict_of(run));
  out["seed"] = run.seed;
  out["target"] = plain(run.target);
  out["version"] = plain(run.version);
  out["versions"] = Json::object();
  for (const auto& [what, version] : run.versions) out["versions"][plain(what)] = plain(version);
  if (!run.began.empty()) out["began"] = plain(run.began);
  if (!run.ended.empty()) out["ended"] = plain(run.ended);
  out["endpoints"] = texts(run.endpoints);
  out["interrupted"] = run.interrupted;
  out["seconds"] = run.seconds;
  out["selection"] = texts(run.selection);
  out["notes"] = texts(run.notes);
  out["causes"] = causes_json(run);
  out["scenarios"] = Json::array();
  for (const ScenarioResult& scenario : run.scenarios) out["scenarios"].push_back(scenario_json(scenario));
  if (!extra.empty()) out[extra] = more;
  return print_json(out) + "\n";
}

std::string findings_json(const RunResult& run) {
  Json out;
  out["findings"] = Json::array();
  for (const ScenarioResult& scenario : run.scenarios)
    for (const judge::Finding& finding : scenario.findings) {
      Json one = finding_json(finding);
      one["scenario"] = plain(scenario.id);
      out["findings"].push_back(std::move(one));
    }
  return print_json(out) + "\n";
}

}  // namespace mailproof::report
