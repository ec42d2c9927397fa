#include "judge/judge.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "archive/asked.h"
#include "archive/history_file.h"
#include "archive/run_directory.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "report/json_values.h"
#include "run/worker.h"
#include "scenario/yaml/files.h"

namespace mailproof::cli {
namespace {

/// How long the run took, and what only its end knew, as it said itself; of one that was killed, when its last event
/// was.
void take_end(const std::string& directory, const archive::ReadRun& read, report::RunResult& run) {
  Time last{};
  for (const auto& one : read.histories)
    if (!one.history->events().empty()) last = std::max(last, one.history->events().back().at);
  run.seconds = std::chrono::duration<double>(last.time_since_epoch()).count();
  const auto text = scenario::read_file(directory + "/run.json", archive::kMostRunJson);
  const auto said = text ? report::json_or_discarded(*text) : nlohmann::json();
  if (!said.is_object()) return;
  if (const auto seconds = said.find("seconds"); seconds != said.end() && seconds->is_number()) {
    const double took = seconds->get<double>();
    if (std::isfinite(took) && took >= 0 && took < 1e9) run.seconds = took;
  }
  if (const auto ended = said.find("ended"); ended != said.end() && ended->is_string())
    run.ended = ended->get<std::string>();
  if (const auto versions = said.find("versions"); versions != said.end() && versions->is_object())
    for (const auto& [endpoint, version] : versions->items())
      if (version.is_string()) run.versions[endpoint] = version.get<std::string>();
}

/// A history that ends in the middle says no more than one that somebody interrupted there; one of which lines are
/// missing, or that another's were written into, ends where that begins.
void interrupt(history::History& history, const std::string& broken) {
  history::Event e;
  if (!history.events().empty()) e.at = history.events().back().at;
  e.type = history::Type::obs;
  e.what = history::What::problem;
  e.code = "interrupted";
  e.text = broken.empty() ? "its history is cut: the run was not finished"
                          : fmt::format("its history is broken at {}", broken);
  history.append(std::move(e));
}

double took(const archive::ReadHistory& one) {
  const auto& events = one.history->events();
  if (one.whole) return std::chrono::duration<double>(one.took).count();
  return events.empty() ? 0 : std::chrono::duration<double>(events.back().at - events.front().at).count();
}

/// What the directory cannot say.
void add_notes(const archive::ReadRun& read, const Result<archive::Asked>& asked, report::RunResult& run) {
  const auto whole =
      std::count_if(read.histories.begin(), read.histories.end(), [](const auto& one) { return one.whole; });
  if (!read.marked)
    run.notes.emplace_back(
        "this history says neither how many scenarios were to be played nor where it ends: it is of an older "
        "mailproof, "
        "and whether the run was finished is not known");
  else if (!read.expected)
    run.notes.emplace_back(
        "this is a load: it keeps the histories of copies with findings only; stats.json has them all");
  else if (run.interrupted)
    run.notes.push_back(fmt::format("the run was not finished: {} of {} scenarios", whole, *read.expected));
  if (!asked && (read.expected || !read.marked))
    run.notes.push_back(fmt::format("known deviations and a baseline, if the run had any, are not known here ({})",
                                    asked.error().message()));
}

int judge_again(const std::string& directory, bool strict) {
  auto read = archive::read_histories(directory);
  if (!read) return complain(read.error().message());
  auto asked = archive::read_asked(directory);
  if (asked) asked->gate.strict = asked->gate.strict || strict;
  report::RunResult run;
  std::set<std::pair<std::string, std::uint32_t>> copies;
  std::set<std::string> ids;
  for (const auto& one : read->histories) ids.insert(one.history->info.scenario);
  Console console(read->histories.size(), ids.size() < read->histories.size());
  for (auto& one : read->histories) {
    history::History& history = *one.history;
    const double seconds = took(one);
    const bool incomplete = !one.broken.empty() || (read->marked && !one.whole);
    if (incomplete) interrupt(history, one.broken);
    auto result = run::judged(history, asked ? &asked->gate : nullptr, asked ? asked->gate.strict : strict);
    if (incomplete) run::withhold(result, one.broken.empty() ? judge::Verdict::inconclusive : judge::Verdict::error);
    result.seconds = seconds;
    if (asked && asked->levels.contains(result.id)) {
      result.kind = report::Kind::check;
      result.level = asked->levels.at(result.id);
    }
    if (asked)
      if (const auto command = asked->commands.find(result.id); command != asked->commands.end())
        for (auto& finding : result.findings) finding.reproduce = run::with_copy(command->second, history.info.copy);
    run.seed = history.info.run_seed;
    run.target = history.info.target;
    run.version = history.info.version;
    console.ended(result, history.info.copy);
    run.scenarios.push_back(std::move(result));
  }
  take_end(directory, *read, run);
  if (asked) {
    run.began = asked->began;
    run.endpoints = asked->endpoints;
  }
  run.interrupted = read->expected && static_cast<std::size_t>(
                                          std::count_if(read->histories.begin(), read->histories.end(),
                                                        [](const auto& one) { return one.whole; })) != *read->expected;
  add_notes(*read, asked, run);
  if (asked) run.selection = asked->selection;
  report::close(asked ? asked->gate : report::Gate{}, asked ? asked->ids : std::set<std::string>{}, run);
  console.summary(run, directory);
  std::vector<judge::Verdict> verdicts;
  for (const auto& one : run.scenarios) verdicts.push_back(one.verdict);
  return judge::exit_status(verdicts, run.interrupted);
}

}  // namespace

void add_judge(CLI::App& app, int& status) {
  auto directory = std::make_shared<std::string>();
  auto strict = std::make_shared<bool>(false);
  auto* command = app.add_subcommand("judge",
                                     "Judge an old run again from its history, with the known deviations and the "
                                     "baseline that it was played with");
  command->add_option("run", *directory, "Run directory")->required();
  command->add_flag("--strict", *strict, "A latitude fails");
  command->callback([=, &status] { status = judge_again(*directory, *strict); });
}

}  // namespace mailproof::cli
