#include "judge/judge.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/console.h"
#include "cli/history_file.h"

namespace mailproof::cli {
namespace {

int judge_again(const std::string& directory, bool strict) {
  const auto histories = read_histories(directory);
  if (!histories) return complain(histories.error().message());
  report::RunResult run;
  Console console(histories->size(), false);
  std::vector<judge::Verdict> verdicts;
  for (const auto& history : *histories) {
    const auto judgement = judge::judge(*history, strict);
    report::ScenarioResult result;
    result.id = history->info.scenario;
    result.title = history->info.title;
    result.verdict = judgement.verdict;
    result.findings = judgement.findings;
    result.note = judgement.note;
    result.hash = history->info.scenario_hash;
    if (history->info.check) {
      result.kind = report::Kind::check;
      result.level = history->info.check->level;
    }
    if (!history->events().empty())
      result.seconds =
          std::chrono::duration<double>(history->events().back().at - history->events().front().at).count();
    run.seed = history->info.run_seed;
    run.target = history->info.target;
    run.version = history->info.version;
    console.ended(result, history->info.copy);
    verdicts.push_back(result.verdict);
    run.scenarios.push_back(std::move(result));
  }
  console.summary(run, directory);
  return judge::exit_status(verdicts, false);
}

}  // namespace

void add_judge(CLI::App& app, int& status) {
  auto directory = std::make_shared<std::string>();
  auto strict = std::make_shared<bool>(false);
  auto* command = app.add_subcommand("judge", "Judge an old run again from its history");
  command->add_option("run", *directory, "Run directory")->required();
  command->add_flag("--strict", *strict, "A latitude fails");
  command->callback([=, &status] { status = judge_again(*directory, *strict); });
}

}  // namespace mailproof::cli
