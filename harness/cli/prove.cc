#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/commands.h"
#include "cli/output.h"
#include "core/bytes.h"
#include "host/signals.h"
#include "play/catching_network.h"
#include "report/json_values.h"
#include "run/proof.h"

namespace mailproof::cli {
namespace {

using judge::Verdict;

struct ProveFlags {
  std::vector<std::string> paths;
  std::string scenarios = default_scenarios();
  bool json = false;
};

constexpr std::size_t kShort = 100;

std::string shortened(std::string_view text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  return printable(line, kShort) + (line.size() < text.size() && line.size() <= kShort ? " ..." : "");
}

/// "pass", "not-applicable: the server does not offer LANG, passes on the right dialogue".
std::string on_correct_servers(const run::Proof& proof) {
  std::string out(judge::name(proof.built_in.verdict));
  if (proof.built_in.verdict != Verdict::pass && !proof.built_in.note.empty())
    out += ": " + shortened(proof.built_in.note);
  if (proof.right) out += fmt::format("; on the right dialogue {}", judge::name(proof.right->verdict));
  if (!proof.permitted.empty()) out += fmt::format("; {} permitted", proof.permitted.size());
  return out;
}

void print(const run::Proof& proof, std::size_t width) {
  say(fmt::format("{:<{}}  {:<8}  {}\n", proof.scenario->id, width, run::level_word(*proof.scenario),
                  on_correct_servers(proof)));
  for (const run::Trial& trial : proof.wrong)
    if (trial.caught)
      say(fmt::format("    {}: {}\n        -> {}\n", judge::name(trial.verdict), printable(trial.server, 2 * kShort),
                      shortened(trial.actual.empty() ? trial.note : trial.actual)));
  for (const std::string& problem : proof.problems)
    say(fmt::format("    NOT PROVEN: {}\n", printable(problem.substr(0, problem.find('\n')), 3 * kShort)));
}

nlohmann::ordered_json json_of(const run::Trial& trial, bool wrong) {
  nlohmann::ordered_json out;
  if (wrong) {
    out["server"] = printable(trial.server, 1000);
    out["caught"] = trial.caught;
  }
  out["verdict"] = judge::name(trial.verdict);
  for (const auto& [key, text] :
       {std::pair("note", &trial.note), std::pair("expected", &trial.expected), std::pair("actual", &trial.actual)})
    if (!text->empty()) out[key] = printable(*text, 1000);
  return out;
}

nlohmann::ordered_json json_of(const run::Proof& proof) {
  nlohmann::ordered_json out;
  out["id"] = proof.scenario->id;
  out["level"] = run::level_word(*proof.scenario);
  out["proven"] = proof.problems.empty();
  out["built_in"] = json_of(proof.built_in, false);
  if (proof.right) out["right"] = json_of(*proof.right, false);
  out["permitted"] = nlohmann::ordered_json::array();
  for (const run::Trial& trial : proof.permitted) {
    out["permitted"].push_back(json_of(trial, false));
    out["permitted"].back()["server"] = printable(trial.server, 1000);
  }
  out["wrong"] = nlohmann::ordered_json::array();
  for (const run::Trial& trial : proof.wrong) out["wrong"].push_back(json_of(trial, true));
  out["problems"] = nlohmann::ordered_json::array();
  for (const std::string& problem : proof.problems) out["problems"].push_back(printable(problem, 1000));
  return out;
}

/// The wrong-files below the folders named and beside every file that was loaded.
std::vector<std::string> places(const std::vector<std::string>& paths, const std::vector<scenario::Scenario>& loaded) {
  std::vector<std::string> out = paths;
  std::set<std::string> files;
  for (const auto& scenario : loaded)
    if (files.insert(scenario.path).second) out.push_back(scenario.path);
  return out;
}

/// What is thrown leaves this one unproven.
run::Proof prove_one(const scenario::Scenario& scenario, const run::WrongCase& wrong) {
  try {
    return run::prove(scenario, wrong);
  } catch (...) {
    run::Proof out;
    out.scenario = &scenario;
    out.built_in.verdict = Verdict::error;
    out.problems.push_back(fmt::format("our own error: {} was thrown", play::what_was_thrown()));
    return out;
  }
}

int prove_all(ProveFlags flags) {
  if (flags.paths.empty()) flags.paths = {flags.scenarios + "/conformance"};
  for (std::string& path : flags.paths) {
    if (!scenario::is_wrong_file(path)) continue;
    std::string beside = scenario::checks_beside(path);
    if (!std::filesystem::exists(beside))
      return complain(fmt::format("{} holds wrong servers for the checks beside it, and there is no {}", path, beside));
    path = std::move(beside);
  }
  auto scenarios = load_scenarios(flags.paths, flags.scenarios);
  if (!scenarios) return kWrongUse;
  host::end_in_order();
  scenario::LoadedWrong wrong = scenario::load_wrong(places(flags.paths, *scenarios));
  const run::WrongCases cases = run::cases_of(wrong.files, wrong.problems);
  for (const auto& problem : wrong.problems) say_error(fmt::format("{}\n", problem.message()));
  std::erase_if(*scenarios, [&](const auto& one) { return !one.check && !cases.contains(one.id); });
  if (scenarios->empty()) return complain("nothing to prove: no check, and no story with wrong servers beside it");

  std::size_t width = 0, proven = 0, servers = 0, permitted = 0;
  for (const auto& one : *scenarios) width = std::max(width, one.id.size());
  auto json = nlohmann::ordered_json::array();
  for (const auto& one : *scenarios) {
    if (host::interrupted()) return kTrouble;
    const auto known = cases.find(one.id);
    const run::Proof proof = prove_one(one, known == cases.end() ? run::WrongCase{} : known->second);
    proven += proof.problems.empty() ? 1 : 0;
    servers += proof.wrong.size();
    permitted += proof.permitted.size();
    if (flags.json) {
      json.push_back(json_of(proof));
    } else {
      print(proof, width);
    }
  }
  if (flags.json) {
    say_json(fmt::format("{}\n", report::print_json(json)));
  } else {
    const auto counted = [](std::size_t n, std::string_view what) {
      return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
    };
    const auto stories = static_cast<std::size_t>(
        std::count_if(scenarios->begin(), scenarios->end(), [](const auto& one) { return !one.check; }));
    const std::string among = stories == 0 ? ""
                                           : fmt::format(" ({}, {} {})", counted(scenarios->size() - stories, "check"),
                                                         stories, stories == 1 ? "story" : "stories");
    say(fmt::format(
        "{} of {} proven{}, with {} and {}{}\n", proven, scenarios->size(), among, counted(servers, "wrong server"),
        counted(permitted, "permitted one"),
        wrong.problems.empty() ? "" : fmt::format("; {} in wrong-files", counted(wrong.problems.size(), "mistake"))));
  }
  if (!wrong.problems.empty()) return kWrongUse;
  return proven == scenarios->size() ? 0 : 1;
}

}  // namespace

void add_prove(CLI::App& app, int& status) {
  auto flags = std::make_shared<ProveFlags>();
  auto* command = app.add_subcommand("prove",
                                     "Prove that checks can fail: each passes on the built-in server in simulation, "
                                     "fails on every wrong server of the *.wrong.yaml beside it, and accuses none that "
                                     "stands there as permitted");
  command->add_option("paths", flags->paths, "Files, folders or ids; all conformance files if none");
  command->add_option("--scenarios", flags->scenarios, "Folder in which ids are looked up")->capture_default_str();
  command->add_flag("--json", flags->json, "The same as JSON");
  command->callback([flags, &status] { status = prove_all(*flags); });
}

}  // namespace mailproof::cli
