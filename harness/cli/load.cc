#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <thread>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/target_lock.h"
#include "core/units.h"
#include "host/signals.h"
#include "load/limits.h"
#include "load/plan.h"
#include "load/plan_parts.h"
#include "load/report.h"
#include "load/slo.h"
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

/// What is played: stories, or the customers of a plan with stories beside them.
struct Work {
  std::vector<scenario::Scenario> stories;
  std::vector<std::vector<load::LoadPart>> parts;  ///< by thread
  load::Schedule schedule;                         ///< of stories alone
  std::optional<scenario::Plan> plan;
  std::vector<load::PlanPart> plan_parts;  ///< by thread
  std::string reproduce;
};

int play(const LoadFlags& flags, const Hosted& hosted, Work& work) {
  const auto directory = archive::RunDirectory::make(flags.out);
  if (!directory) return complain(directory.error().message());

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
  std::vector<load::Harvest> harvests(flags.jobs);
  std::vector<std::thread> threads;
  const auto one = [&](unsigned i) {
    using Progress = load::LoadThread::Progress;
    const Progress progress = i != 0 || flags.target.sim ? Progress::none
                              : line_is_rewritten()      ? Progress::rewritten
                                                         : Progress::lines;
    const load::PlanPart* part = work.plan ? &work.plan_parts[i] : nullptr;
    harvests[i] =
        load::LoadThread(setup, std::move(work.parts[i]), work.schedule.bound, work.reproduce, progress, part).play();
  };
  for (unsigned i = 1; i < flags.jobs; ++i) threads.emplace_back(one, i);
  one(0);
  for (auto& thread : threads) thread.join();

  load::LoadResult result;
  for (const auto& story : work.stories) result.stories.push_back(story.id);
  if (work.plan) result.stories.push_back(work.plan->name);
  result.target = flags.target.sim ? "sim" : hosted.target.name;
  result.seed = flags.seed;
  result.copies = work.schedule.total;
  result.slots = flags.copies;
  result.rate = work.schedule.rate;
  result.interrupted = host::interrupted();
  gather(result, harvests);
  if (work.plan) {
    result.plan.name = work.plan->name;
    result.plan.accounts = work.plan->accounts;
    if (result.all.ledger.copies != 0) load::judge_slo(work.plan->slo, result);  // else nothing was played
  }
  say(load::to_text(result));
  setup.directory->join_histories(std::nullopt);
  std::string trouble = archive::write_file(setup.directory->file("stats.json"), load::to_json(result));
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
  auto parts = load::make_plan_parts(plan, hosted->target, flags.jobs, taken);
  if (!parts) return complain(parts.error().message());
  work.plan_parts = std::move(*parts);
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
  const auto lock = TargetLock::take(flags.target, *target);
  if (!lock) return complain(lock.error().message());
  if (!flags.profile.empty() && !flags.paths.empty())
    return complain("either --profile, or a plan or stories: both were given");
  if (!flags.profile.empty()) return load_plan(flags, *target);
  if (flags.paths.empty())
    return complain("what is to be played? Give stories, a plan (a file with plan:), or --profile");
  bool plan = false;
  for (const auto& path : flags.paths) plan = plan || scenario::is_plan_file(path);
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
  command->add_option("--yes-load", flags->yes_load, "Host that may be loaded although it is not loopback");
  command->callback([flags, &status] { status = load(*flags); });
}

}  // namespace mailproof::cli
