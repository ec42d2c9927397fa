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
#include "core/units.h"
#include "host/signals.h"
#include "load/limits.h"
#include "load/machine.h"
#include "load/plan.h"
#include "load/plan_parts.h"
#include "load/report.h"
#include "load/run_files.h"
#include "load/slo.h"
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
    result.plan.most_connections += harvest.plan.most_connections;
    if (result.plan.aborted.empty()) result.plan.aborted = harvest.plan.aborted;
    result.plan.examples.merge(harvest.plan.examples);
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

/// What is played: stories, or the customers of a plan with stories beside them.
struct Work {
  std::vector<scenario::Scenario> stories;
  std::vector<std::vector<load::LoadPart>> parts;  ///< by thread
  load::Schedule schedule;                         ///< of stories alone
  std::optional<scenario::Plan> plan;
  std::vector<load::PlanPart> plan_parts;  ///< by thread
  std::string reproduce;
};

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

std::vector<std::pair<std::string, std::string>> plan_settings(const LoadFlags& flags, const scenario::Plan& plan) {
  return {{"plan", plan.name},
          {"accounts", std::to_string(plan.accounts)},
          {"for", format_seconds(plan.length())},
          {"looked into in the end", flags.audit},
          {"threads", std::to_string(flags.jobs)},
          {"patience", fmt::format("{}", flags.patience)}};
}

/// The other shards play on the same server, at the same time and on other accounts.
scenario::Target only_accounts_of(const Work& work, const scenario::Target& target) {
  scenario::Target out = target;
  out.accounts.clear();
  for (const auto& thread : work.parts)
    for (const auto& part : thread)
      for (const auto& slot : part.slots) out.accounts.insert(out.accounts.end(), slot.begin(), slot.end());
  for (const auto& part : work.plan_parts) {
    out.accounts.insert(out.accounts.end(), part.accounts.begin(), part.accounts.end());
    if (part.sender) out.accounts.push_back(*part.sender);
  }
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

/// What a run that is killed leaves: run.json says that it was not finished. "" where it could be written.
std::string write_unfinished(const LoadFlags& flags, const Hosted& hosted, const Work& work,
                             const archive::RunDirectory& directory, const std::string& began) {
  load::LoadResult result;
  for (const auto& story : work.stories) result.stories.push_back(story.id);
  if (work.plan) result.stories.push_back(work.plan->name);
  result.by_story.resize(result.stories.size());
  result.target = flags.target.sim ? "sim" : hosted.target.name;
  result.seed = flags.seed;
  result.version = kVersion;
  result.command = work.reproduce;
  result.began = began;
  result.interrupted = true;
  result.machines = {load::this_machine()};
  result.doubts = {
      "NOT FINISHED: it was ended before its figures were written; what was known stands in progress-*.jsonl"};
  return archive::write_file(directory.file("run.json"), load::run_json(result));
}

int play(const LoadFlags& flags, const Hosted& hosted, Work& work) {
  const auto shard = load::parse_shard(flags);
  if (!shard) return complain(shard.error().message());
  const auto start_at = parse_start_at(flags);
  if (!start_at) return complain(start_at.error().message());
  std::optional<Result<TargetLock>> lock;
  if (!flags.shard.empty()) {
    lock.emplace(TargetLock::take(flags.target, only_accounts_of(work, hosted.target)));
    if (!*lock) return complain(lock->error().message());
  }
  const auto directory = archive::RunDirectory::make(flags.out);
  if (!directory) return complain(directory.error().message());

  const std::string live_title =
      fmt::format("{} on {}",
                  work.plan                  ? work.plan->name
                  : work.stories.size() == 1 ? work.stories.front().id
                                             : fmt::format("{} stories", work.stories.size()),
                  hosted.target.name);
  const auto live = start_live(flags, live_title);
  if (!live) return complain(live.error().message());

  run::Setup setup;
  setup.target = &hosted.target;
  setup.settings = settings_of(flags);
  if (work.plan && setup.settings.simulated) setup.settings.simulated = hosted.builtin;
  setup.hosted = hosted.server.get();
  setup.directory = directory->get();
  setup.start = std::chrono::steady_clock::now();
  setup.run_id = flags.target.sim ? flags.seed : fresh_run_id();
  setup.date = flags.target.sim ? "Thu, 01 Jan 2026 00:00:00 +0000" : date_now();
  for (auto& part : work.plan_parts) {
    part.settings.run_id = setup.run_id;
    part.settings.date = setup.date;
  }

  if (const auto wrong = setup.directory->begin(std::nullopt); !wrong.empty()) return complain(wrong), kTrouble;
  const std::string began = clock_now();
  if (const auto wrong = write_unfinished(flags, hosted, work, *setup.directory, began); !wrong.empty())
    return complain(wrong), kTrouble;
  std::vector<load::Harvest> harvests(flags.jobs);
  // The two clocks are looked at together, so that what one says can be told by the other.
  const auto wall = std::chrono::system_clock::now() - (std::chrono::steady_clock::now() - setup.start);
  load::StartLine line(flags.jobs, *start_at ? std::optional(Time(**start_at - wall)) : std::nullopt);
  std::vector<std::thread> threads;
  std::optional<load::Watch> watch;
  if (!flags.target.sim) watch.emplace(flags.jobs, !flags.live.empty());
  const auto one = [&](unsigned i) {
    const load::PlanPart* part = work.plan ? &work.plan_parts[i] : nullptr;
    harvests[i] = load::LoadThread(setup, std::move(work.parts[i]), work.schedule.bound, work.reproduce, line,
                                   watch ? &*watch : nullptr, i, part)
                      .play();
  };
  {
    const Watching watching(watch ? &*watch : nullptr, live->get(), live_title);
    for (unsigned i = 1; i < flags.jobs; ++i) threads.emplace_back(one, i);
    one(0);
    for (auto& thread : threads) thread.join();
  }

  load::LoadResult result;
  for (const auto& story : work.stories) result.stories.push_back(story.id);
  if (work.plan) result.stories.push_back(work.plan->name);
  result.target = flags.target.sim ? "sim" : hosted.target.name;
  result.seed = flags.seed;
  result.copies = work.schedule.total;
  result.slots = flags.copies;
  result.rate = work.schedule.rate;
  result.duration = flags.duration;
  result.interrupted = host::interrupted();
  result.version = kVersion;
  result.command = work.reproduce;
  result.began = began;
  result.ended = clock_now();
  result.machines = {load::this_machine()};
  result.settings = work.plan ? plan_settings(flags, *work.plan) : settings_text(flags, work.schedule);
  gather(result, harvests);
  if (!flags.shard.empty()) {
    result.shard = load::Shard{shard->index + 1, shard->of, flags.start_at, "", line.late()};
    if (const auto zero = line.zero()) result.shard->began = clock_text(wall + zero->time_since_epoch());
  }
  if (line.late() > load::kMostLate)
    result.doubts.push_back(fmt::format("LATE: the mailboxes were looked at {:.1f} s after --start-at {}",
                                        std::chrono::duration<double>(line.late()).count(), flags.start_at));
  if (work.plan) {
    result.plan.name = work.plan->name;
    result.plan.accounts = work.plan->accounts;
    if (result.all.ledger.copies != 0) load::judge_slo(work.plan->slo, result);  // else nothing was played
  }
  say(load::to_text(result));
  setup.directory->join_histories(std::nullopt);
  std::string trouble = load::write_files(*setup.directory, result);
  if (const std::string lost = setup.directory->trouble(); !lost.empty()) trouble = archive::not_written(lost);
  say(fmt::format("{}\n", setup.directory->path()));
  if (!trouble.empty()) return complain(trouble), kTrouble;
  const std::vector<judge::Verdict> all = {load::verdict_of(result)};
  return judge::exit_status(all, result.interrupted);
}

int load_stories(const LoadFlags& flags, const scenario::Target& target) {
  Work work;
  auto stories = load_scenarios(flags.paths, flags.scenarios);
  if (!stories) return kWrongUse;
  work.stories = std::move(*stories);
  const bool ours = flags.target.sim || flags.target.sockets;
  if (const auto why = load::refusal(flags, ours, work.stories, target)) return complain(*why);
  const auto schedule = load::make_schedule(flags);
  if (!schedule) return complain(schedule.error().message());
  work.schedule = *schedule;
  TargetFlags target_flags = flags.target;
  target_flags.builtin = load::with_accounts(flags.target.builtin, flags, work.stories);
  const auto pool_target = ours ? make_target(target_flags) : target;
  const auto hosted = host_builtin(target_flags, *pool_target);
  if (!hosted) return complain(hosted.error().message());
  std::vector<bool> taken;
  auto parts = load::make_parts(flags, *schedule, work.stories, hosted->target, taken);
  if (!parts) return complain(parts.error().message());
  work.parts = std::move(*parts);
  work.reproduce = load_command(flags, work.stories);
  return play(flags, *hosted, work);
}

/// The stories that a plan has beside its customers; nothing, after every problem was printed, if one is bad.
std::optional<std::vector<scenario::Scenario>> stories_beside(const LoadFlags& flags, const scenario::Plan& plan) {
  std::vector<scenario::Scenario> out;
  for (const auto& also : plan.also) {
    auto loaded = scenario::load({also.story}, flags.scenarios);
    for (const auto& problem : loaded.problems) say_error(fmt::format("{}\n", problem.message()));
    if (!loaded.problems.empty() || loaded.scenarios.size() != 1) {
      say_error(fmt::format("{}:{}:{}: '{}'; expected the id of one story\n", plan.path, also.pos.line, also.pos.column,
                            also.story));
      return std::nullopt;
    }
    out.push_back(std::move(loaded.scenarios.front()));
  }
  return out;
}

/// The plan that was asked for, by a file or by --profile; nothing after its problems were printed.
std::optional<scenario::Plan> plan_asked_for(const LoadFlags& flags) {
  scenario::LoadedPlan loaded;
  if (flags.profile.empty()) {
    loaded = scenario::load_plan(flags.paths.front(), flags.scenarios);
  } else {
    scenario::QuickPlan quick;
    quick.profile = flags.profile;
    quick.accounts = flags.accounts;
    quick.length = parse_duration(flags.duration.empty() ? "1m" : flags.duration).value_or(Duration{});
    quick.rate = flags.rate.empty() ? flags.accounts / 10.0 : parse_rate(flags.rate).value_or(-1);
    if (quick.length <= Duration{})
      return complain("--for " + flags.duration + ": expected a time like 30s or 5m"), std::nullopt;
    if (quick.rate < 0) return complain("--rate " + flags.rate + ": expected deliveries like 20/s"), std::nullopt;
    quick.ramp = std::min<Duration>(std::chrono::seconds(10), quick.length / 4);
    loaded = scenario::quick_plan(quick, flags.scenarios);
  }
  for (const auto& problem : loaded.problems) say_error(fmt::format("{}\n", problem.message()));
  if (!loaded.problems.empty()) return std::nullopt;
  return std::move(loaded.plan);
}

int load_plan(const LoadFlags& flags, const scenario::Target& target) {
  Work work;
  work.plan = plan_asked_for(flags);
  if (!work.plan) return kWrongUse;
  scenario::Plan& plan = *work.plan;
  const auto stories = stories_beside(flags, plan);
  if (!stories) return kWrongUse;
  work.stories = *stories;
  const bool ours = flags.target.sim || flags.target.sockets;
  if (const auto why = load::refusal(flags, ours, work.stories, target)) return complain(*why);
  if (const auto why = load::refusal_of_plan(plan, target)) return complain(*why);
  const auto expected = load::forecast(plan, target, flags.jobs, work.stories);
  const auto here = load::limits_here();
  const auto obstacles =
      flags.target.sim ? std::vector<load::Obstacle>{} : load::obstacles(expected, here, target, flags.target.sockets);
  const auto sources = flags.target.sim ? std::vector<std::string>{} : load::sources_for(expected, here, target);
  if (flags.dry_run) {
    say(load::to_text(expected, plan, here, obstacles, sources));
    return obstacles.empty() ? 0 : kWrongUse;
  }
  if (!obstacles.empty()) {
    std::string all;
    for (const auto& one : obstacles) all += (all.empty() ? "" : "\n") + one.text;
    return complain(all);
  }
  if (!flags.target.sim) load::raise_descriptors(load::descriptors_for(expected, flags.target.sockets));
  TargetFlags target_flags = flags.target;
  LoadFlags beside = flags;
  beside.copies = 0;
  for (const auto& also : plan.also) beside.copies += also.copies;
  target_flags.builtin = load::with_accounts(flags.target.builtin, beside, work.stories);
  target_flags.builtin.users += expected.accounts + expected.senders;
  const auto pool_target = ours ? make_target(target_flags) : target;
  const auto hosted = host_builtin(target_flags, *pool_target);
  if (!hosted) return complain(hosted.error().message());
  std::vector<bool> taken;
  work.parts.resize(flags.jobs);
  for (std::size_t i = 0; i < plan.also.size(); ++i) {
    load::Options options = flags;
    options.copies = plan.also[i].copies;
    const load::Schedule schedule = load::schedule_beside(plan, plan.also[i]);
    auto parts = load::make_parts(options, schedule, {work.stories[i]}, hosted->target, taken);
    if (!parts) return complain(parts.error().message());
    for (unsigned job = 0; job < flags.jobs; ++job)
      for (auto& part : (*parts)[job]) {
        part.story = &work.stories[i];
        part.row = "story " + work.stories[i].id;
        work.parts[job].push_back(std::move(part));
      }
  }
  const auto shard = load::parse_shard(flags);
  if (!shard) return complain(shard.error().message());
  auto parts = load::make_plan_parts(plan, hosted->target, shard->of * flags.jobs, taken);
  if (!parts) return complain(parts.error().message());
  const auto first = parts->begin() + static_cast<std::ptrdiff_t>(shard->index) * flags.jobs;
  work.plan_parts.assign(std::make_move_iterator(first), std::make_move_iterator(first + flags.jobs));
  const auto audited = load::parse_audit(flags.audit);
  if (!audited) return complain("--audit " + flags.audit + ": expected all, or a part like 10%");
  for (auto& part : work.plan_parts) {
    part.settings.seed = flags.seed;
    part.settings.patience = flags.patience;
    part.settings.keep = flags.keep;
    part.settings.own_mailboxes = flags.own_mailboxes;
    part.settings.look_first = !ours && !flags.own_mailboxes;
    part.settings.audited = *audited;
    part.settings.sources = sources;
  }
  work.schedule.bound = plan.length();
  work.schedule.total = static_cast<std::uint32_t>(work.stories.size());
  work.reproduce = plan_command(flags);
  return play(flags, *hosted, work);
}

int load(const LoadFlags& flags) {
  const auto target = make_target(flags.target);
  if (!target) return complain(target.error().message());
  // A shard holds its own accounts only, once they are known.
  std::optional<Result<TargetLock>> lock;
  if (flags.shard.empty()) {
    lock.emplace(TargetLock::take(flags.target, *target));
    if (!*lock) return complain(lock->error().message());
  }
  if (!flags.profile.empty() && !flags.paths.empty())
    return complain("either --profile, or a plan or stories: both were given");
  if (!flags.profile.empty() && flags.copies_given)
    return complain("--copies is of stories; how many customers a --profile has says --accounts");
  if (!flags.profile.empty()) return load_plan(flags, *target);
  if (flags.paths.empty())
    return complain("what is to be played? Give stories, a plan (a file with plan:), or --profile");
  bool plan = false;
  for (const auto& path : flags.paths) plan = plan || scenario::is_plan_file(path);
  if (plan && (flags.copies_given || flags.accounts_given || !flags.rate.empty() || !flags.duration.empty()))
    return complain(
        "a plan says itself how many, how fast and how long: --copies, --rate and --for are of stories, "
        "--accounts is of --profile");
  if (!plan && flags.accounts_given) return complain("--accounts is of --profile; of stories it is --copies");
  if (plan && flags.paths.size() != 1)
    return complain("one plan is played at a time, and its stories stand in its also:");
  return plan ? load_plan(flags, *target) : load_stories(flags, *target);
}

}  // namespace

void add_load(CLI::App& app, int& status) {
  auto flags = std::make_shared<LoadFlags>();
  auto* command =
      app.add_subcommand("load", "Play many copies of one or several stories at a time, with open arrivals");
  add_play_flags(*command, *flags)->description("Stories (files, folders or ids), or one plan (a file with plan:)");
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
  command->add_option("--profile", flags->profile,
                      "Instead of stories or a plan: customers with this device, e.g. thunderbird (scenarios/devices)");
  command->add_option("--accounts", flags->accounts, "Customers of --profile")
      ->check(CLI::Range(1U, 1'000'000U))
      ->capture_default_str();
  command
      ->add_option("--audit", flags->audit,
                   "Accounts of a plan that are looked into in the end: all, or a part like 10%")
      ->capture_default_str();
  command->add_flag("--dry-run", flags->dry_run,
                    "Of a plan: say what it comes to and which limits it would hit, and play nothing");
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
  command->callback([flags, command, live, &status] {
    flags->copies_given = command->count("--copies") > 0;
    flags->accounts_given = command->count("--accounts") > 0;
    if (live->count() != 0 && (flags->live.empty() || flags->live == "{}")) flags->live = "-";
    status = load(*flags);
  });
}

}  // namespace mailproof::cli
