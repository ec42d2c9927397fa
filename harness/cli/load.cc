#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <thread>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/target_lock.h"
#include "host/signals.h"
#include "load/plan.h"
#include "load/report.h"
#include "load/thread.h"

namespace mailproof::cli {
namespace {

void gather(load::LoadResult& result, std::vector<load::Harvest>& harvests) {
  std::vector<judge::Verdict> verdicts;
  result.by_story.resize(result.stories.size());
  for (auto& harvest : harvests) {
    for (std::size_t n = 0; n < harvest.stories.size(); ++n) result.by_story[n].merge(harvest.stories[n]);
    verdicts.insert(verdicts.end(), harvest.seen.begin(), harvest.seen.end());
    for (auto& [id, tally] : harvest.findings) {
      load::Tally& all = result.findings[id];
      if (all.times == 0) all.first = tally.first;
      all.times += tally.times;
      all.messages.insert(all.messages.end(), tally.messages.begin(), tally.messages.end());
    }
    result.seconds = std::max(result.seconds, harvest.seconds);
    result.generator.cpu = std::max(result.generator.cpu, harvest.generator.cpu);
    result.generator.worst_lateness = std::max(result.generator.worst_lateness, harvest.generator.worst_lateness);
    result.generator.worst_timer = std::max(result.generator.worst_timer, harvest.generator.worst_timer);
    if (result.note.empty()) result.note = harvest.wrong;
    result.held += harvest.held;
    result.answering += harvest.answering;
  }
  for (const auto& story : result.by_story) result.all.merge(story);
  if (!result.note.empty()) verdicts.push_back(judge::Verdict::error);
  result.worst = verdicts.empty() ? judge::Verdict::inconclusive : judge::worst(verdicts);
}

int load(const LoadFlags& flags) {
  const auto target = make_target(flags.target);
  if (!target) return complain(target.error().message());
  const auto lock = TargetLock::take(flags.target, *target);
  if (!lock) return complain(lock.error().message());
  const auto stories = load_scenarios(flags.paths, flags.scenarios);
  if (!stories) return kWrongUse;
  const bool ours = flags.target.sim || flags.target.sockets;
  if (const auto why = load::refusal(flags, ours, *stories, *target)) return complain(*why);
  const auto schedule = load::make_schedule(flags);
  if (!schedule) return complain(schedule.error().message());
  TargetFlags target_flags = flags.target;
  target_flags.builtin = load::with_accounts(flags.target.builtin, flags, *stories);
  const auto pool_target = ours ? make_target(target_flags) : target;
  const auto hosted = host_builtin(target_flags, *pool_target);
  if (!hosted) return complain(hosted.error().message());
  auto parts = load::make_parts(flags, *schedule, *stories, hosted->target);
  if (!parts) return complain(parts.error().message());
  const auto directory = archive::RunDirectory::make(flags.out);
  if (!directory) return complain(directory.error().message());

  run::Setup setup;
  setup.target = &hosted->target;
  setup.settings = settings_of(flags);
  setup.hosted = hosted->server.get();
  setup.directory = directory->get();
  setup.start = std::chrono::steady_clock::now();
  setup.run_id = flags.target.sim ? flags.seed : fresh_run_id();
  setup.date = flags.target.sim ? "Thu, 01 Jan 2026 00:00:00 +0000" : date_now();

  if (const auto wrong = setup.directory->begin(std::nullopt); !wrong.empty()) return complain(wrong), kTrouble;
  const std::string reproduce = load_command(flags, *stories);
  std::vector<load::Harvest> harvests(flags.jobs);
  std::vector<std::thread> threads;
  const auto one = [&](unsigned i) {
    using Progress = load::LoadThread::Progress;
    const Progress progress = i != 0 || flags.target.sim ? Progress::none
                              : line_is_rewritten()      ? Progress::rewritten
                                                         : Progress::lines;
    harvests[i] = load::LoadThread(setup, std::move((*parts)[i]), schedule->bound, reproduce, progress).play();
  };
  for (unsigned i = 1; i < flags.jobs; ++i) threads.emplace_back(one, i);
  one(0);
  for (auto& thread : threads) thread.join();

  load::LoadResult result;
  for (const auto& story : *stories) result.stories.push_back(story.id);
  result.target = flags.target.sim ? "sim" : hosted->target.name;
  result.seed = flags.seed;
  result.copies = schedule->total;
  result.slots = flags.copies;
  result.rate = schedule->rate;
  result.interrupted = host::interrupted();
  gather(result, harvests);
  say(load::to_text(result));
  setup.directory->join_histories(std::nullopt);
  std::string trouble = archive::write_file(setup.directory->file("stats.json"), load::to_json(result));
  if (const std::string lost = setup.directory->trouble(); !lost.empty()) trouble = archive::not_written(lost);
  say(fmt::format("{}\n", setup.directory->path()));
  if (!trouble.empty()) return complain(trouble), kTrouble;
  const std::vector<judge::Verdict> all = {load::verdict_of(result)};
  return judge::exit_status(all, result.interrupted);
}

}  // namespace

void add_load(CLI::App& app, int& status) {
  auto flags = std::make_shared<LoadFlags>();
  auto* command =
      app.add_subcommand("load", "Play many copies of one or several stories at a time, with open arrivals");
  add_play_flags(*command, *flags)->required();
  command
      ->add_option("--copies", flags->copies,
                   "Copies of each story that may run at the same time, each on accounts of its own; without --for "
                   "each is played once")
      ->check(CLI::Range(1U, 100'000U))
      ->capture_default_str();
  command->add_option(
      "--rate", flags->rate,
      "Copies of each story that begin, e.g. 20/s, whether or not the server keeps up (default: all of them within "
      "10 s)");
  command->add_option("--for", flags->duration, "How long copies go on beginning, e.g. 1m; slots are used again");
  command->add_option("--jobs", flags->jobs, "Generator threads")->check(CLI::Range(1U, 64U))->capture_default_str();
  command->add_option("--yes-load", flags->yes_load, "Host that may be loaded although it is not loopback");
  command->callback([flags, &status] { status = load(*flags); });
}

}  // namespace mailproof::cli
