#include "run/proof.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "core/units.h"
#include "history/talk_ends.h"
#include "report/groups.h"
#include "run/worker.h"

namespace mailproof::run {
namespace {

using judge::Verdict;
using scenario::Level;

/// Whether the verdict of a check of this level says that the server is wrong.
bool accuses(const scenario::Scenario& scenario, const Trial& trial, const Trial& correct) {
  if (!scenario.check) return trial.verdict == Verdict::fail;
  const scenario::Check& check = *scenario.check;
  if (check.level == Level::may)
    return trial.verdict == Verdict::pass && !trial.note.empty() && trial.note != correct.note;
  if (trial.verdict == Verdict::fail) return true;
  const bool binds = check.level == Level::must || check.harm != scenario::Harm::none;
  return !binds && trial.verdict == Verdict::latitude;
}

/// What a story says where it could not be played on, what came of it nobody knows yet, or it allows that itself.
constexpr std::array kNobodyKnows = std::to_array<std::string_view>(
    {"bounce/queued", "expectation/may-differ", "expectation/not-asked", "session/audit-incomplete", "session/hung-up",
     "session/no-answer", "session/bring-up-failed", "session/login-refused", "session/problem"});

/// Whether a check says by that finding that nothing is known of the server.
bool nothing_said(std::string_view name) {
  constexpr std::string_view kConformance = "conformance/";
  if (!name.starts_with(kConformance)) return false;
  name.remove_prefix(kConformance.size());
  return name == "late" || history::is_talk_end(name);
}

Trial play_on(const scenario::Scenario& scenario, std::string server, const host::BuiltinOptions& builtin,
              const std::vector<WrongDialogue>& dialogues) {
  const scenario::Target target = host::sim_target(builtin);
  Setup setup;
  setup.settings.slow = true;  // its waits cost nothing here
  setup.settings.simulated = builtin;
  setup.target = &target;
  setup.start = std::chrono::steady_clock::now();
  setup.run_id = setup.settings.seed;
  setup.date = "Thu, 01 Jan 2026 00:00:00 +0000";
  setup.dialogues = &dialogues;
  Trial out;
  setup.unreached = &out.unreached;
  RunRules rules({scenario});  // a rule about the whole run looks at the bytes of this play: a whole run of its own
  if (rules.any()) setup.rules = &rules;
  const report::ScenarioResult result = play(setup, {&scenario, 0, 0});

  out.server = std::move(server);
  out.verdict = result.verdict;
  out.note = result.note;
  const auto ways = report::ways_in(result);
  out.accuses_nobody = !result.findings.empty() &&
                       std::all_of(result.findings.begin(), result.findings.end(), [&](const judge::Finding& finding) {
                         const std::string name(report::class_of(finding.id, scenario.id));
                         if (scenario.check && scenario.check->talks()) return nothing_said(name);
                         return std::find(kNobodyKnows.begin(), kNobodyKnows.end(), name) != kNobodyKnows.end() ||
                                std::find(ways.begin(), ways.end(), name) != ways.end();
                       });
  for (const auto& finding : result.findings) {
    const bool decides = (finding.severity == judge::Severity::fail && result.verdict == Verdict::fail) ||
                         (finding.severity == judge::Severity::latitude && result.verdict == Verdict::latitude) ||
                         result.verdict == Verdict::error || result.verdict == Verdict::inconclusive;
    if (!decides || !out.actual.empty()) continue;
    out.expected = finding.expected;
    out.actual = finding.actual;
  }
  return out;
}

std::string reason(const Trial& trial) {
  std::string out(judge::name(trial.verdict));
  if (!trial.note.empty() && trial.note != trial.actual) out += fmt::format("; {}", trial.note);
  if (!trial.expected.empty()) out += fmt::format("; expected {}", trial.expected);
  if (!trial.actual.empty()) out += fmt::format("; actual {}", trial.actual);
  return out;
}

/// Where a wrong-file stands beside a file of scenarios: the ids that it can name.
std::set<std::string> ids_beside(const std::string& wrong_file) {
  std::set<std::string> out;
  for (const auto& scenario : scenario::load({scenario::checks_beside(wrong_file)}, "").scenarios)
    out.insert(scenario.id);
  return out;
}

host::BuiltinOptions switches(const scenario::WrongServer& server) {
  host::BuiltinOptions out;
  if (!server.defect.empty()) out.defects = {server.defect};
  if (!server.latitude.empty()) out.latitudes = {server.latitude};
  return out;
}

/// Versions and alerts of TLS the simulation has not: a test with a bad server on real sockets stands for it.
Trial elsewhere(const scenario::Scenario& scenario, const scenario::WrongServer& server) {
  Trial out;
  out.server = server.told;
  out.caught = scenario.check && scenario.check->real_tls();
  out.verdict = Verdict::latitude;
  out.note = "over real TLS";
  return out;
}

}  // namespace

std::string level_word(const scenario::Scenario& scenario) {
  return scenario.check ? std::string(scenario::name(scenario.check->level)) : "story";
}

WrongCases cases_of(const std::vector<scenario::WrongFile>& files, std::vector<scenario::Problem>& problems) {
  WrongCases out;
  for (const scenario::WrongFile& file : files) {
    if (const auto beside = scenario::checks_beside(file.path); !std::filesystem::exists(beside)) {
      problems.push_back(
          {file.path, file.pos, file.file, fmt::format("beside it the file of these checks: {}", beside), ""});
      continue;
    }
    const auto ids = ids_beside(file.path);
    const auto known = [&](const std::string& check, scenario::Pos pos) {
      if (check.empty()) {
        if (!ids.contains(file.file))
          problems.push_back({file.path, file.pos, file.file, "the id of the story in the file beside",
                              nearest_word(file.file, {ids.begin(), ids.end()}).value_or("")});
        return ids.contains(file.file);
      }
      std::vector<std::string> names;
      for (const auto& id : ids)
        if (id.starts_with(file.file + ".")) names.push_back(id.substr(file.file.size() + 1));
      if (std::find(names.begin(), names.end(), check) != names.end()) return true;
      problems.push_back({file.path, pos, check, fmt::format("the id of a check of {} in the file beside", file.file),
                          nearest_word(check, names).value_or("")});
      return false;
    };
    const auto take = [&](const std::vector<scenario::WrongServers>& all, auto member) {
      for (const auto& servers : all) {
        if (!known(servers.check, servers.pos)) continue;
        auto& place = out[servers.check.empty() ? file.file : file.file + "." + servers.check].*member;
        if (place != nullptr)
          problems.push_back({file.path, servers.pos, servers.check, "a check that no other wrong-file names", ""});
        place = &servers;
        for (const auto& server : servers.servers)
          if (const auto unknown = host::check_switches(switches(server)); !unknown.empty())
            problems.push_back(
                {file.path, server.pos, server.told, fmt::format("a switch that exists: {}", unknown), ""});
      }
    };
    take(file.checks, &WrongCase::wrong);
    take(file.permitted, &WrongCase::permitted);
    for (const auto& right : file.right)
      if (known(right.check, right.pos)) out[file.file + "." + right.check].right = &right;
  }
  return out;
}

Proof prove(const scenario::Scenario& scenario, const WrongCase& wrong) {
  Proof out;
  out.scenario = &scenario;
  out.built_in = play_on(scenario, "the built-in server", {}, {});
  const bool plain_is_right = out.built_in.verdict == Verdict::pass || out.built_in.verdict == Verdict::not_applicable;
  if (!plain_is_right) out.problems.push_back("did not pass on the built-in server: " + reason(out.built_in));

  std::vector<WrongDialogue> base;
  if (wrong.right != nullptr) {
    base.push_back(wrong.right->dialogue);
    out.right = play_on(scenario, "the right dialogue", {}, base);
    if (out.right->verdict != Verdict::pass)
      out.problems.push_back("did not pass on the right dialogue: " + reason(*out.right));
  }
  const auto play_in_front = [&](const scenario::WrongServer& server) {
    std::vector<WrongDialogue> dialogues = base;
    const host::BuiltinOptions builtin = switches(server);
    if (builtin.defects.empty() && builtin.latitudes.empty()) dialogues.push_back(server.dialogue);
    return play_on(scenario, server.told, builtin, dialogues);
  };
  if (wrong.permitted != nullptr) {
    for (const scenario::WrongServer& server : wrong.permitted->servers) {
      out.permitted.push_back(play_in_front(server));
      const Trial& trial = out.permitted.back();
      if (trial.verdict != Verdict::pass && trial.verdict != Verdict::not_applicable && !trial.accuses_nobody)
        out.problems.push_back(fmt::format("accuses what is permitted: {}: {}", server.told, reason(trial)));
    }
  }
  if (wrong.wrong != nullptr) {
    for (const scenario::WrongServer& server : wrong.wrong->servers) {
      if (!server.test.empty()) {
        out.wrong.push_back(elsewhere(scenario, server));
        if (!out.wrong.back().caught)
          out.problems.push_back(fmt::format("{}, and yet it can be played here", server.told));
        continue;
      }
      Trial trial = play_in_front(server);
      trial.caught = accuses(scenario, trial, out.right ? *out.right : out.built_in);
      std::string never;
      for (const auto& block : trial.unreached) never += fmt::format("; the check never came to its {}", block);
      if (!trial.caught)
        out.problems.push_back(fmt::format("not caught: {}: {}{}", server.told, reason(trial),
                                           server.dialogue.blocks.empty() ? std::string() : never));
      out.wrong.push_back(std::move(trial));
    }
  }
  if (out.wrong.empty()) out.problems.push_back("nothing makes it fail");
  return out;
}

}  // namespace mailproof::run
