#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/loading.h"
#include "cli/output.h"
#include "cli/target_lock.h"
#include "host/signals.h"

namespace mailproof::cli {
namespace {

int play(const LoadFlags& flags, const Hosted& hosted, Work& work) {
  if (const auto shard = load::parse_shard(flags); !shard) return complain(shard.error().message());
  const auto start_at = parse_start_at(flags);
  if (!start_at) return complain(start_at.error().message());
  std::optional<Result<TargetLock>> lock;
  if (!flags.shard.empty()) {
    lock.emplace(TargetLock::take(flags.target, only_accounts_of(work, hosted.target)));
    if (!*lock) return complain(lock->error().message());
  }
  host::end_in_order();
  const auto directory = archive::RunDirectory::make(flags.out);
  if (!directory) return complain(directory.error().message());
  const std::string title = title_of(work, hosted.target);
  const auto live = start_live(flags, title);
  if (!live) return complain(live.error().message());
  const auto result = play_load(flags, hosted, work, **directory, *start_at, live->get(), title);
  if (!result) return complain(result.error().message()), kTrouble;
  say(load::to_text(*result));
  const std::string trouble = leave(**directory, *result);
  say(fmt::format("{}\n", (*directory)->path()));
  if (!trouble.empty()) return complain(trouble), kTrouble;
  const std::vector<judge::Verdict> all = {load::verdict_of(*result)};
  return judge::exit_status(all, result->interrupted);
}

int load_stories(LoadFlags& flags, const scenario::Target& target) {
  Work work;
  auto stories = load_scenarios(flags.paths, flags.scenarios);
  if (!stories) return kWrongUse;
  if (flags.users != 0) {
    if (flags.copies_given || !flags.rate.empty())
      return complain(
          "--users begin again when they are ready, in a closed loop; --copies and --rate are of open arrivals: either "
          "the one or the other");
    if (flags.think.empty()) return complain("--users: also --think, how long each of them pauses, such as 2s..5s");
    flags.copies = flags.users;
  } else if (!flags.think.empty()) {
    return complain("--think is of --users, who play a story again and again");
  }
  if (flags.dry_run)
    return complain(
        "--dry-run is of a plan or a --profile; of stories it is not known what they come to before they are played");
  work.stories = std::move(*stories);
  const bool ours = flags.target.sim || flags.target.sockets;
  if (const auto why = load::refusal(flags, ours, work.stories, target)) return complain(*why);
  const auto schedule = load::make_schedule(flags, flags.seed);
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
  if (!flags.target.sim) {
    // All copies at the same time are the most that can be, and seldom are: it is said, and not refused.
    const load::Forecast most = load::forecast(work.stories, flags.copies, hosted->target);
    load::raise_descriptors(load::descriptors_for(most, flags.target.sockets));
    for (const auto& one : load::obstacles(most, load::limits_here(), hosted->target, flags.target.sockets))
      say_error(fmt::format("perhaps in the way, if all copies are under way together: {}\n", one.text));
  }
  return play(flags, *hosted, work);
}

int load_plan(LoadFlags& flags, scenario::Target target) {
  Work work;
  work.plan = plan_asked_for(flags);
  if (!work.plan) return kWrongUse;
  const scenario::Plan& plan = *work.plan;
  flags.customers = plan.accounts;
  const auto stories = stories_beside(flags, plan);
  if (!stories) return kWrongUse;
  work.stories = *stories;
  const bool ours = flags.target.sim || flags.target.sockets;
  if (const auto why = load::refusal(flags, ours, work.stories, target)) return complain(*why);
  if (const auto why = load::refusal_of_plan(plan, target)) return complain(*why);
  const Outlook ahead = look_ahead(flags, plan, target, work.stories);
  if (flags.dry_run) {
    say(load::to_text(ahead.forecast, plan, ahead.limits, ahead.obstacles, ahead.sources,
                      load::advice(ahead.forecast, target)));
    return ahead.obstacles.empty() ? 0 : kWrongUse;
  }
  if (!ahead.obstacles.empty()) {
    std::string all;
    for (const auto& one : ahead.obstacles) all += (all.empty() ? "" : "\n") + one.text;
    return complain(all);
  }
  if (!flags.target.sim) load::raise_descriptors(load::descriptors_for(ahead.forecast, flags.target.sockets));
  const auto hosted = host_for_plan(flags, plan, target, work.stories, ahead.forecast);
  if (!hosted) return complain(hosted.error().message());
  std::vector<scenario::PoolAccount>().swap(target.accounts);  // there may be many, and what is lent is the host's
  if (const auto why = lend_accounts(flags, hosted->target, ahead.sources, work)) return complain(*why);
  work.reproduce = plan_command(flags);
  return play(flags, *hosted, work);
}

int load(LoadFlags& flags) {
  if (const auto why = understand_serves(flags)) return complain(*why);
  auto target = make_target(flags.target);
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
  if (!flags.profile.empty() && (flags.users != 0 || !flags.think.empty()))
    return complain("--users and --think are of stories; how many customers a --profile has says --accounts");
  if (!flags.profile.empty()) return load_plan(flags, std::move(*target));
  if (flags.paths.empty())
    return complain("what is to be played? Give stories, a plan (a file with plan:), or --profile");
  bool plan = false;
  for (const auto& path : flags.paths) plan = plan || scenario::is_plan_file(path);
  if (plan && (flags.copies_given || flags.accounts_given || !flags.rate.empty() || !flags.duration.empty()))
    return complain(
        "a plan says itself how many, how fast and how long: --copies, --rate and --for are of stories, "
        "--accounts is of --profile");
  if (plan && (flags.users != 0 || !flags.think.empty()))
    return complain("--users and --think are of stories; in a plan they stand in its also:");
  if (!plan && flags.accounts_given) return complain("--accounts is of --profile; of stories it is --copies");
  if (plan && flags.paths.size() != 1)
    return complain("one plan is played at a time, and its stories stand in its also:");
  return plan ? load_plan(flags, std::move(*target)) : load_stories(flags, *target);
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
  command
      ->add_option("--users", flags->users,
                   "Instead of --copies and --rate, a closed loop: so many users play each story, think and play it "
                   "again, for as long as --for says (default: 1m)")
      ->check(CLI::Range(1U, 100'000U));
  command->add_option("--think", flags->think, "How long a user pauses between: 2s, 2s..5s, or 'exponential 3s'");
  command->add_option("--profile", flags->profile,
                      "Instead of stories or a plan: customers with this device, e.g. thunderbird (scenarios/devices)");
  command->add_option("--accounts", flags->accounts, "Customers of --profile")
      ->check(CLI::Range(1U, 1'000'000U))
      ->capture_default_str();
  command
      ->add_option("--audit", flags->audit,
                   "Accounts of a plan that are looked into in the end: all, or a part like 10%")
      ->capture_default_str();
  command
      ->add_option("--history", flags->history,
                   "What is kept on disk of the copies of stories, their histories and what went over the wire: full, "
                   "findings (of those in which something was found, the first 20 of a story), none")
      ->check(CLI::IsMember({"full", "findings", "none"}))
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
  add_serves_flag(*command, *flags);
  command->callback([flags, command, live, &status] {
    flags->copies_given = command->count("--copies") > 0;
    flags->accounts_given = command->count("--accounts") > 0;
    if (live->count() != 0 && (flags->live.empty() || flags->live == "{}")) flags->live = "-";
    status = load(*flags);
  });
}

}  // namespace mailproof::cli
