#include <fmt/chrono.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ctime>
#include <thread>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/target_lock.h"
#include "cli/watching.h"
#include "host/signals.h"
#include "load/machine.h"
#include "load/plan.h"
#include "load/report.h"
#include "load/run_files.h"
#include "load/thread.h"
#include "load/watch.h"

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
    result.generator.merge(harvest.generator);
    if (result.note.empty()) result.note = harvest.wrong;
    result.held += harvest.held;
    result.answering += harvest.answering;
  }
  for (const auto& story : result.by_story) result.all.merge(story);
  if (!result.note.empty()) verdicts.push_back(judge::Verdict::error);
  result.worst = verdicts.empty() ? judge::Verdict::inconclusive : judge::worst(verdicts);
}

using Clock = std::chrono::system_clock;

/// RFC 3339 in UTC, with milliseconds.
std::string clock_text(std::chrono::time_point<Clock, std::chrono::nanoseconds> time) {
  const auto ms = std::chrono::time_point_cast<std::chrono::milliseconds>(time);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(ms);
  return fmt::format("{:%FT%T}.{:03}Z",
                     fmt::gmtime(Clock::to_time_t(std::chrono::time_point_cast<Clock::duration>(seconds))),
                     (ms - seconds).count());
}

Result<std::optional<Clock::time_point>> parse_start_at(const LoadFlags& flags) {
  if (flags.start_at.empty()) return std::optional<Clock::time_point>();
  if (flags.target.sim) return Error{"--start-at " + flags.start_at, "in simulation there is no clock to begin by"};
  std::tm parts{};
  const char* const rest = strptime(flags.start_at.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  if (rest == nullptr || *rest != '\0')
    return Error{"--start-at " + flags.start_at, "expected a time in UTC, such as 2026-11-29T12:00:00Z"};
  return std::optional(Clock::from_time_t(timegm(&parts)));
}

/// As people read them in a report.
std::vector<std::pair<std::string, std::string>> settings_text(const LoadFlags& flags, const load::Schedule& schedule) {
  std::vector<std::pair<std::string, std::string>> out = {
      {"copies of each story at a time", std::to_string(flags.copies)},
      {"copies of each story in all", std::to_string(schedule.total)},
      {"rate of each story", fmt::format("{:.2f}/s", schedule.rate)},
      {"for", flags.duration.empty() ? "each copy once" : flags.duration},
      {"threads", std::to_string(flags.jobs)},
      {"patience", fmt::format("{}", flags.patience)}};
  if (flags.strict) out.emplace_back("strict", "yes");
  return out;
}

scenario::Target only_accounts_of(const std::vector<std::vector<load::LoadPart>>& parts,
                                  const scenario::Target& target) {
  scenario::Target out = target;
  out.accounts.clear();
  for (const auto& thread : parts)
    for (const auto& part : thread)
      for (const auto& slot : part.slots) out.accounts.insert(out.accounts.end(), slot.begin(), slot.end());
  return out;
}

/// Nothing where nobody asked for it.
Result<std::unique_ptr<web::LiveServer>> start_live(const LoadFlags& flags, const std::string& title) {
  if (flags.live.empty()) return std::unique_ptr<web::LiveServer>();
  if (flags.target.sim) return Error{"--live", "a load in simulation is over at once: there is nothing to watch"};
  const auto options = web::parse_live(flags.live == "-" ? "" : flags.live);
  if (!options) return options.error();
  auto server = web::LiveServer::start(*options, load::live_page(title));
  if (server) say_error(fmt::format("live: {}\n", (*server)->url()));
  return server;
}

int load(const LoadFlags& flags) {
  const auto target = make_target(flags.target);
  if (!target) return complain(target.error().message());
  std::optional<Result<TargetLock>> lock;
  if (flags.shard.empty()) {
    lock.emplace(TargetLock::take(flags.target, *target));
    if (!*lock) return complain(lock->error().message());
  }
  const auto stories = load_scenarios(flags.paths, flags.scenarios);
  if (!stories) return kWrongUse;
  const bool ours = flags.target.sim || flags.target.sockets;
  if (const auto why = load::refusal(flags, ours, *stories, *target)) return complain(*why);
  const auto schedule = load::make_schedule(flags);
  if (!schedule) return complain(schedule.error().message());
  const auto shard = load::parse_shard(flags);
  if (!shard) return complain(shard.error().message());
  const auto start_at = parse_start_at(flags);
  if (!start_at) return complain(start_at.error().message());
  TargetFlags target_flags = flags.target;
  target_flags.builtin = load::with_accounts(flags.target.builtin, flags, *stories);
  const auto pool_target = ours ? make_target(target_flags) : target;
  const auto hosted = host_builtin(target_flags, *pool_target);
  if (!hosted) return complain(hosted.error().message());
  auto parts = load::make_parts(flags, *schedule, *stories, hosted->target);
  if (!parts) return complain(parts.error().message());
  if (!flags.shard.empty()) {
    // The other shards play on the same server, at the same time and on other accounts.
    lock.emplace(TargetLock::take(flags.target, only_accounts_of(*parts, *target)));
    if (!*lock) return complain(lock->error().message());
  }
  const auto directory = archive::RunDirectory::make(flags.out);
  if (!directory) return complain(directory.error().message());

  const std::string live_title =
      fmt::format("{} on {}", stories->size() == 1 ? stories->front().id : fmt::format("{} stories", stories->size()),
                  hosted->target.name);
  const auto live = start_live(flags, live_title);
  if (!live) return complain(live.error().message());

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
  const std::string began = clock_now();
  std::vector<load::Harvest> harvests(flags.jobs);
  // The two clocks are looked at together, so that what one says can be told by the other.
  const auto wall = std::chrono::system_clock::now() - (std::chrono::steady_clock::now() - setup.start);
  load::StartLine line(flags.jobs, *start_at ? std::optional(Time(**start_at - wall)) : std::nullopt);
  std::vector<std::thread> threads;
  std::optional<load::Watch> watch;
  if (!flags.target.sim) watch.emplace(flags.jobs, !flags.live.empty());
  const auto one = [&](unsigned i) {
    harvests[i] =
        load::LoadThread(setup, std::move((*parts)[i]), schedule->bound, reproduce, line, watch ? &*watch : nullptr, i)
            .play();
  };
  {
    const Watching watching(watch ? &*watch : nullptr, live->get(), live_title);
    for (unsigned i = 1; i < flags.jobs; ++i) threads.emplace_back(one, i);
    one(0);
    for (auto& thread : threads) thread.join();
  }

  load::LoadResult result;
  for (const auto& story : *stories) result.stories.push_back(story.id);
  result.target = flags.target.sim ? "sim" : hosted->target.name;
  result.seed = flags.seed;
  result.copies = schedule->total;
  result.slots = flags.copies;
  result.rate = schedule->rate;
  result.duration = flags.duration;
  result.interrupted = host::interrupted();
  result.version = kVersion;
  result.command = reproduce;
  result.began = began;
  result.ended = clock_now();
  result.machines = {load::this_machine()};
  result.settings = settings_text(flags, *schedule);
  gather(result, harvests);
  if (!flags.shard.empty()) {
    result.shard = load::Shard{shard->index + 1, shard->of, flags.start_at, "", line.late()};
    if (const auto zero = line.zero()) result.shard->began = clock_text(wall + zero->time_since_epoch());
  }
  if (line.late() > load::kMostLate)
    result.doubts.push_back(fmt::format("LATE: the mailboxes were looked at {:.1f} s after --start-at {}",
                                        std::chrono::duration<double>(line.late()).count(), flags.start_at));
  say(load::to_text(result));
  setup.directory->join_histories(std::nullopt);
  std::string trouble = load::write_files(*setup.directory, result);
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
  const auto* live =
      command
          ->add_option(
              "--live", flags->live,
              "A page to watch it by, and /metrics for Prometheus, at this address and port (default: a free port of "
              "127.0.0.1); what others can reach asks for a token, which is printed")
          ->expected(0, 1)
          ->type_name("ADDRESS");
  command->add_option("--shard", flags->shard,
                      "K/N: play only the K-th of N parts, each with accounts of its own; `mailproof merge` makes one "
                      "report of all");
  command->add_option("--start-at", flags->start_at,
                      "Time zero of all shards, in UTC: 2026-11-29T12:00:00Z; mailboxes are looked at before");
  command->add_option("--yes-load", flags->yes_load, "Host that may be loaded although it is not loopback");
  command->callback([flags, live, &status] {
    if (live->count() != 0 && (flags->live.empty() || flags->live == "{}")) flags->live = "-";
    status = load(*flags);
  });
}

}  // namespace mailproof::cli
