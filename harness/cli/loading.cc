#include "cli/loading.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ctime>
#include <thread>
#include <tuple>

#include "cli/output.h"
#include "cli/watching.h"
#include "core/units.h"
#include "host/signals.h"
#include "load/machine.h"
#include "load/run_files.h"
#include "load/slo.h"
#include "load/thread.h"
#include "load/watch.h"

namespace mailproof::cli {
namespace {

void gather(load::LoadResult& result, std::vector<load::Harvest>& harvests) {
  std::vector<judge::Verdict> verdicts;
  std::uint64_t unjudged = 0;
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
    unjudged += harvest.unjudged;
    if (result.note.empty()) result.note = harvest.wrong;
    result.plan.merge(harvest.plan);
    result.held += harvest.held;
    result.answering += harvest.answering;
  }
  for (const auto& story : result.by_story) result.all.merge(story);
  if (unjudged != 0)
    result.doubts.push_back(fmt::format(
        "NOT JUDGED: {} copies came faster than they could be judged, and are in no ledger: fewer of them, --history "
        "none, or a quicker machine",
        unjudged));
  if (const std::string limit = load::limit_of_ours_met(result); !limit.empty()) result.doubts.push_back(limit);
  if (!result.note.empty()) verdicts.push_back(judge::Verdict::error);
  result.worst = verdicts.empty() ? judge::Verdict::inconclusive : judge::worst(verdicts);
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

constexpr double kMessagesADay = 100;  // an account of --profile gets, where nobody says otherwise

using Clock = std::chrono::system_clock;

/// RFC 3339 in UTC, with milliseconds.
std::string clock_text(std::chrono::time_point<Clock, std::chrono::nanoseconds> time) {
  const auto ms = std::chrono::time_point_cast<std::chrono::milliseconds>(time);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(ms);
  return fmt::format("{:%FT%T}.{:03}Z",
                     fmt::gmtime(Clock::to_time_t(std::chrono::time_point_cast<Clock::duration>(seconds))),
                     (ms - seconds).count());
}

/// As people read them in a report.
std::vector<std::pair<std::string, std::string>> settings_text(const LoadFlags& flags, const load::Schedule& schedule) {
  std::vector<std::pair<std::string, std::string>> out;
  if (schedule.users)
    out = {{"users of each story, in a closed loop", std::to_string(flags.copies)},
           {"they think", schedule.users->think.text},
           {"for", format_seconds(schedule.bound)}};
  else
    out = {{"copies of each story at a time", std::to_string(flags.copies)},
           {"copies of each story in all", std::to_string(schedule.total)},
           {"rate of each story", fmt::format("{:.2f}/s", schedule.rate)},
           {"for", flags.duration.empty() ? "each copy once" : flags.duration}};
  out.insert(out.end(), {{"history kept", flags.history},
                         {"threads", std::to_string(flags.jobs)},
                         {"patience", fmt::format("{}", flags.patience)}});
  if (flags.strict) out.emplace_back("strict", "yes");
  return out;
}

std::vector<std::pair<std::string, std::string>> plan_settings(const LoadFlags& flags, const scenario::Plan& plan) {
  return {{"plan", plan.name},
          {"hash of it and its profiles", fmt::format("{:016x}", plan.hash)},
          {"accounts", std::to_string(plan.accounts)},
          {"for", format_seconds(plan.length())},
          {"measured",
           fmt::format("{} to {}", format_seconds(plan.measured().first), format_seconds(plan.measured().second))},
          {"mail", load::mail_a_day(plan)},
          {"history kept", flags.history},
          {"looked into in the end", flags.audit},
          {"threads", std::to_string(flags.jobs)},
          {"patience", fmt::format("{}", flags.patience)}};
}

}  // namespace

Result<StartAt> parse_start_at(const LoadFlags& flags) {
  if (flags.start_at.empty()) return StartAt();
  if (flags.target.sim) return Error{"--start-at " + flags.start_at, "in simulation there is no clock to begin by"};
  std::tm parts{};
  const char* const rest = strptime(flags.start_at.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  if (rest == nullptr || *rest != '\0')
    return Error{"--start-at " + flags.start_at, "expected a time in UTC, such as 2026-11-29T12:00:00Z"};
  return StartAt(Clock::from_time_t(timegm(&parts)));
}

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

Result<std::unique_ptr<web::LiveServer>> start_live(const LoadFlags& flags, const std::string& title) {
  if (flags.live.empty()) return std::unique_ptr<web::LiveServer>();
  if (flags.target.sim) return Error{"--live", "a load in simulation is over at once: there is nothing to watch"};
  const auto options = web::parse_live(flags.live == "-" ? "" : flags.live);
  if (!options) return options.error();
  auto server = web::LiveServer::start(*options, load::live_page(title));
  if (server) say_error(fmt::format("live: {}\n", (*server)->url()));
  return server;
}

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

std::optional<scenario::Plan> plan_asked_for(const LoadFlags& flags) {
  scenario::LoadedPlan loaded;
  if (flags.profile.empty()) {
    loaded = scenario::load_plan(flags.paths.front(), flags.scenarios);
  } else {
    scenario::QuickPlan quick;
    quick.profile = flags.profile;
    quick.accounts = flags.accounts;
    quick.length = parse_duration(flags.duration.empty() ? "1m" : flags.duration).value_or(Duration{});
    quick.rate = flags.rate.empty() ? flags.accounts * kMessagesADay / 86400 : parse_rate(flags.rate).value_or(-1);
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

void add_serves_flag(CLI::App& app, LoadFlags& flags) {
  app.add_option(
      "--serves", flags.serves,
      "The built-in server (--sim, --sockets) takes so many pieces of input, one after the other, e.g. 500/s "
      "(default: each at once)");
}

std::optional<std::string> understand_serves(LoadFlags& flags) {
  if (flags.serves.empty()) return std::nullopt;
  if (!flags.target.sim && !flags.target.sockets)
    return "--serves slows the built-in server down: it needs --sim or --sockets";
  const auto rate = parse_rate(flags.serves);
  if (!rate || *rate <= 0) return "--serves " + flags.serves + ": expected something like 500/s";
  flags.target.builtin.service = Duration(static_cast<std::int64_t>(1e9 / *rate));
  return std::nullopt;
}

Outlook look_ahead(const LoadFlags& flags, const scenario::Plan& plan, const scenario::Target& target,
                   const std::vector<scenario::Scenario>& stories) {
  Outlook out;
  out.forecast = load::forecast(plan, target, flags.jobs, stories);
  out.limits = load::limits_here();
  if (flags.target.sim) return out;
  out.obstacles = load::obstacles(out.forecast, out.limits, target, flags.target.sockets);
  out.sources = load::sources_for(out.forecast, out.limits, target);
  return out;
}

Result<Hosted> host_for_plan(const LoadFlags& flags, const scenario::Plan& plan, const scenario::Target& target,
                             const std::vector<scenario::Scenario>& stories, const load::Forecast& forecast) {
  TargetFlags target_flags = flags.target;
  LoadFlags beside = flags;
  beside.copies = 0;
  for (const auto& also : plan.also) beside.copies += also.copies;
  target_flags.builtin = load::with_accounts(flags.target.builtin, beside, stories);
  target_flags.builtin.users += forecast.accounts + forecast.senders;
  const bool ours = flags.target.sim || flags.target.sockets;
  const auto pool_target = ours ? make_target(target_flags) : target;
  return host_builtin(target_flags, *pool_target);
}

std::optional<std::string> lend_accounts(const LoadFlags& flags, const scenario::Target& target,
                                         const std::vector<std::string>& sources, Work& work) {
  const scenario::Plan& plan = *work.plan;
  const auto shard = load::parse_shard(flags);
  if (!shard) return shard.error().message();
  for (const auto& slo : plan.abort_when)
    if (slo.measure == scenario::Measure::rate && shard->of * flags.jobs > 1)
      return fmt::format(
          "abort_when: {}: a rate is that of one thread, and {} play: say it of errors or times, or play "
          "with --jobs 1",
          slo.text, shard->of * flags.jobs);
  std::vector<bool> taken;
  work.parts.resize(flags.jobs);
  for (std::size_t i = 0; i < plan.also.size(); ++i) {
    load::Options options = flags;
    options.copies = plan.also[i].copies;
    options.customers = 0;
    if (!flags.shard.empty() && shard->of * flags.jobs > options.copies)
      return fmt::format("--shard {}: {} threads need at least as many {} of {}, which the plan has {} of", flags.shard,
                         shard->of * flags.jobs, plan.also[i].think ? "users" : "copies", plan.also[i].story,
                         options.copies);
    const load::Schedule schedule = load::schedule_beside(plan, plan.also[i], flags.seed);
    auto parts = load::make_parts(options, schedule, {work.stories[i]}, target, taken);
    if (!parts) return parts.error().message();
    for (unsigned job = 0; job < flags.jobs; ++job)
      for (auto& part : (*parts)[job]) {
        part.story = &work.stories[i];
        part.row = "story " + work.stories[i].id;
        work.parts[job].push_back(std::move(part));
      }
  }
  auto parts = load::make_plan_parts(plan, target, shard->of * flags.jobs, taken);
  if (!parts) return parts.error().message();
  const auto first = parts->begin() + static_cast<std::ptrdiff_t>(shard->index) * flags.jobs;
  work.plan_parts.assign(std::make_move_iterator(first), std::make_move_iterator(first + flags.jobs));
  const auto audited = load::parse_audit(flags.audit);
  if (!audited) return "--audit " + flags.audit + ": expected all, or a part like 10%";
  const bool ours = flags.target.sim || flags.target.sockets;
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
  return std::nullopt;
}

std::string title_of(const Work& work, const scenario::Target& target) {
  return fmt::format("{} on {}",
                     work.plan                  ? work.plan->name
                     : work.stories.size() == 1 ? work.stories.front().id
                                                : fmt::format("{} stories", work.stories.size()),
                     target.name);
}

Result<load::LoadResult> play_load(const LoadFlags& flags, const Hosted& hosted, Work& work,
                                   archive::RunDirectory& directory, StartAt start_at, web::LiveServer* live,
                                   const std::string& title) {
  const auto shard = load::parse_shard(flags);
  if (!shard) return shard.error();
  run::Setup setup = setup_of(flags, hosted);
  if (work.plan && setup.settings.simulated) setup.settings.simulated = hosted.builtin;
  setup.directory = &directory;
  setup.owed->note_in(directory.file(archive::kOwedFile));
  for (auto& part : work.plan_parts) {
    part.settings.run_id = setup.run_id;
    part.settings.date = setup.date;
  }

  if (const auto wrong = directory.begin(std::nullopt); !wrong.empty()) return Error{"", wrong};
  const std::string began = clock_now();
  if (const auto wrong = write_unfinished(flags, hosted, work, directory, began); !wrong.empty())
    return Error{"", wrong};
  std::vector<load::Harvest> harvests(flags.jobs);
  // The two clocks are looked at together, so that what one says can be told by the other.
  const auto wall = std::chrono::system_clock::now() - (std::chrono::steady_clock::now() - setup.start);
  load::StartLine line(flags.jobs, start_at ? std::optional(Time(*start_at - wall)) : std::nullopt);
  std::vector<std::thread> threads;
  std::optional<load::Watch> watch;
  if (!flags.target.sim) watch.emplace(flags.jobs, !flags.live.empty());
  const load::Keep keep = load::parse_keep(flags.history).value_or(load::Keep::findings);
  const auto one = [&](unsigned i) {
    std::optional<load::PlanPart> part;
    if (work.plan) part = std::move(work.plan_parts[i]);
    harvests[i] = load::LoadThread(setup, std::move(work.parts[i]), work.schedule.bound, work.reproduce, line,
                                   watch ? &*watch : nullptr, i, std::move(part), keep)
                      .play();
  };
  {
    const Watching watching(watch ? &*watch : nullptr, live, title);
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
  result.duration = flags.duration.empty() && work.schedule.users ? "1m" : flags.duration;
  for (std::size_t i = 0; i < work.stories.size(); ++i) {
    if (work.schedule.users)
      result.users.push_back({work.stories[i].id, flags.copies, work.schedule.users->think.text});
    if (work.plan && work.plan->also[i].think)
      result.users.push_back({work.stories[i].id, work.plan->also[i].copies, work.plan->also[i].think->text});
  }
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
    result.slots = 0;
    result.rate = 0;
    for (const auto& also : work.plan->also) {
      if (!also.think) result.slots += also.copies;
      result.rate += also.rate;
    }
    std::tie(result.measured.from, result.measured.to) = work.plan->measured();
    result.plan.name = work.plan->name;
    result.plan.hash = work.plan->hash;
    result.plan.accounts = work.plan->accounts;
    if (result.all.ledger.copies != 0) load::judge_slo(work.plan->slo, result);  // else nothing was played
  }
  return result;
}

std::string leave(archive::RunDirectory& directory, const load::LoadResult& result) {
  directory.join_histories(std::nullopt);
  std::string trouble = load::write_files(directory, result);
  if (const std::string lost = directory.trouble(); !lost.empty()) trouble = archive::not_written(lost);
  return trouble;
}

}  // namespace mailproof::cli
