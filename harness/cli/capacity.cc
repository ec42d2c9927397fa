#include "load/capacity.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <thread>

#include "cli/commands.h"
#include "cli/loading.h"
#include "cli/output.h"
#include "cli/target_lock.h"
#include "core/rng.h"
#include "core/units.h"
#include "host/signals.h"
#include "load/capacity_report.h"
#include "load/machine.h"

namespace mailproof::cli {
namespace {

constexpr std::uint32_t kMostAccounts = 100'000;
constexpr std::uint32_t kMostTimes = 64;  // of the plan, where the accounts are our own

struct CapacityFlags : LoadFlags {
  std::string step_for = "30s";
  unsigned max_steps = 20;
  double precision = 5;  // per cent
  std::uint32_t from = 0, most = 0, at_least = 0;
};

std::string capacity_command(const CapacityFlags& flags) {
  std::string out = plan_command(flags);
  out.replace(0, std::string("mailproof load").size(), "mailproof capacity");
  out +=
      fmt::format(" --step-for {} --max-steps {} --precision {:g}", flags.step_for, flags.max_steps, flags.precision);
  if (flags.from != 0) out += fmt::format(" --from {}", flags.from);
  if (flags.most != 0) out += fmt::format(" --most {}", flags.most);
  if (flags.at_least != 0) out += fmt::format(" --at-least {}", flags.at_least);
  return out;
}

/// The loads of a search, one after the other on the same target.
class Search {
 public:
  Search(const CapacityFlags& flags, const scenario::Target& target, const scenario::Plan& plan,
         const std::vector<scenario::Scenario>& stories, Duration steady, archive::RunDirectory& directory)
      : flags_(flags), target_(target), plan_(plan), stories_(stories), steady_(steady), directory_(directory) {}

  /// The built-in server over sockets lasts as long as the search. What is wrong, or nothing.
  std::optional<std::string> host(std::uint32_t most) {
    if (!flags_.target.sockets) return std::nullopt;
    const auto largest = load::plan_for(plan_, most, steady_);
    auto hosted =
        host_for_plan(flags_, largest, target_, stories_, load::forecast(largest, target_, flags_.jobs, stories_));
    if (!hosted) return hosted.error().message();
    hosted_.emplace(std::move(*hosted));
    return std::nullopt;
  }

  /// Plays it; an error where nothing can be played any more. What is played again has other times and other chances.
  Result<load::Trial> play(const load::Step& step, std::size_t number, bool once_more = false) {
    CapacityFlags flags = flags_;
    if (step.again || step.percent != 0) flags.seed = derive_seed(flags_.seed, "again", number);
    Work work;
    work.plan = load::plan_for(plan_, step.accounts, steady_);
    work.stories = stories_;
    const Outlook ahead = look_ahead(flags_, *work.plan, target_, stories_);
    if (!ahead.obstacles.empty()) return load::not_played(step, ahead.obstacles.front().text);
    if (!flags_.target.sim) load::raise_descriptors(load::descriptors_for(ahead.forecast, flags_.target.sockets));
    std::optional<Hosted> own;
    if (!hosted_) {
      auto hosted = host_for_plan(flags_, *work.plan, target_, stories_, ahead.forecast);
      if (!hosted) return hosted.error();
      own.emplace(std::move(*hosted));
    }
    const Hosted& hosted = hosted_ ? *hosted_ : *own;
    if (const auto why = lend_accounts(flags, hosted.target, ahead.sources, work)) return Error{"", *why};
    const std::string name = fmt::format("steps/{:02}-{}{}", number, step.accounts, once_more ? "-once-more" : "");
    const auto directory = archive::RunDirectory::make(directory_.file(name));
    if (!directory) return directory.error();
    work.reproduce = capacity_command(flags_);
    const std::string title = fmt::format("{}: {} accounts", title_of(work, hosted.target), step.accounts);
    const auto result = play_load(flags, hosted, work, **directory, std::nullopt, nullptr, title);
    if (!result) return result.error();
    if (const std::string wrong = leave(**directory, *result); !wrong.empty()) return Error{"", wrong};
    if (!result->note.empty()) return load::not_played(step, result->note, true);
    load::Trial trial = load::weigh(step, *work.plan, *result);
    trial.directory = name;
    return trial;
  }

 private:
  const CapacityFlags& flags_;
  const scenario::Target& target_;
  const scenario::Plan& plan_;
  const std::vector<scenario::Scenario>& stories_;
  Duration steady_;
  archive::RunDirectory& directory_;
  std::optional<Hosted> hosted_;
};

/// Waits so long, unless somebody interrupts.
void settle(Duration time) {
  const auto until = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < until && !host::interrupted())
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
}

int capacity(CapacityFlags& flags) {
  if (const auto why = understand_serves(flags)) return complain(*why);
  const auto target = make_target(flags.target);
  if (!target) return complain(target.error().message());
  if (flags.profile.empty() == flags.paths.empty() || flags.paths.size() > 1)
    return complain("whose capacity? Give one plan (a file with plan:), or --profile");
  if (!flags.paths.empty() && !scenario::is_plan_file(flags.paths.front()))
    return complain(flags.paths.front() + " is no plan: a file with plan: is wanted, see scenarios/load/README.md");
  const auto steady = parse_duration(flags.step_for);
  if (!steady || *steady <= Duration::zero() || *steady > std::chrono::hours(24))
    return complain("--step-for " + flags.step_for + ": expected a time like 30s or 5m, at most 24h");
  const auto lock = TargetLock::take(flags.target, *target);
  if (!lock) return complain(lock.error().message());

  auto plan = plan_asked_for(flags);
  if (!plan) return kWrongUse;
  flags.customers = plan->accounts;
  const auto stories = stories_beside(flags, *plan);
  if (!stories) return kWrongUse;
  const bool ours = flags.target.sim || flags.target.sockets;
  if (const auto why = load::refusal(flags, ours, *stories, *target)) return complain(*why);
  if (const auto why = load::refusal_of_plan(*plan, *target)) return complain(*why);
  if (const auto why = load::refusal_of_capacity(*plan)) return complain(*why);

  load::Capacity all;
  all.default_slo = plan->slo.empty();
  if (all.default_slo) plan->slo = load::specmail_slo(*plan, *target);
  const std::uint32_t wanted = flags.most != 0 ? flags.most
                               : ours          ? std::min(kMostAccounts, plan->accounts * kMostTimes)
                                               : kMostAccounts;
  all.most = ours ? wanted : load::room_in(*plan, *stories, *target, flags.jobs, wanted);
  // As with `load`: what the plan needs, and where it is to be had. Here a part of it can be tried all the same.
  const std::size_t needed = load::forecast(*plan, *target, flags.jobs, *stories).needed();
  if (!ours && (all.most == 0 || (all.most < plan->accounts && flags.most == 0))) {
    const std::string why = load::too_few_accounts(
        fmt::format("plan {}", plan->name), needed, target->accounts.size(),
        all.most == 0 ? "" : fmt::format("see what is carried by at most {} customers, as is done now", all.most));
    if (all.most == 0) return complain(why);
    say_error(why + "\n");
  }
  all.most_why = flags.most == all.most ? fmt::format("--most {}", flags.most)
                 : ours ? fmt::format("the built-in server was given {} times as many as the plan has", kMostTimes)
                        : fmt::format("the target's pool has {}", target->accounts.size());

  host::end_in_order();
  const auto directory = archive::RunDirectory::make(flags.out);
  if (!directory) return complain(directory.error().message());
  if (const auto wrong = (*directory)->begin(std::nullopt); !wrong.empty()) return complain(wrong), kTrouble;
  all.plan = plan->name;
  all.target = flags.target.sim ? "sim" : flags.target.sockets ? "sockets" : target->name;
  all.version = kVersion;
  all.command = capacity_command(flags);
  all.began = clock_now();
  all.seed = flags.seed;
  all.start = flags.from != 0 ? flags.from : plan->accounts;
  all.at_least = flags.at_least;
  all.steady = *steady;
  all.seldom = load::seldom_polled(*plan, *steady);
  all.max_steps = flags.max_steps;
  all.machines = {load::this_machine()};
  all.settings = {{"plan", plan->name},
                  {"a load lasts", flags.step_for},
                  {"most loads", std::to_string(flags.max_steps)},
                  {"precision", fmt::format("{:g} %", flags.precision)},
                  {"threads", std::to_string(flags.jobs)}};

  Search search(flags, *target, *plan, *stories, *steady, **directory);
  if (const auto why = search.host(all.most)) return complain(*why);
  // In simulation the same load comes to the same.
  load::CapacitySearch machine(
      {std::min(all.start, all.most), all.most, flags.precision / 100, flags.max_steps, !flags.target.sim});
  while (const auto step = machine.next()) {
    say_error(fmt::format("load {} of at most {}: {} accounts{}{}\n", machine.steps() + 1, flags.max_steps,
                          step->accounts, step->percent == 0 ? "" : fmt::format(", {} % of the answer", step->percent),
                          step->again ? ", once more: was it chance?" : ""));
    // What the load before left behind, queues and open sessions, is not this one's.
    if (!flags.target.sim && !all.trials.empty() && all.trials.back().came != load::Came::met) settle(target->settle);
    auto trial = search.play(*step, machine.steps() + 1);
    // A server that the load before wore out may not be ready for the next: that is no reason to throw an hour away.
    if (trial && trial->unready && !all.trials.empty() && !host::interrupted()) {
      settle(target->settle);
      trial = search.play(*step, machine.steps() + 1, true);
    }
    all.interrupted = host::interrupted();
    if (trial && trial->unready && (all.trials.empty() || all.trials.back().unready)) trial = Error{"", trial->why};
    if (trial && trial->unready) trial->why = "it could not be made ready, twice: " + trial->why;
    if (!trial) all.trouble = trial.error().message();
    if (!trial || all.interrupted) break;
    machine.tell(trial->came, trial->broke || trial->not_played);
    say_error((all.trials.empty() ? load::head_text() : "") + load::trial_text(*trial));
    all.trials.push_back(std::move(*trial));
  }
  all.ended = clock_now();
  load::conclude(machine, all);
  (*directory)->join_histories(std::nullopt);
  const std::string trouble = load::write_files(**directory, all);
  say(load::to_text(all));
  say(fmt::format("{}\n", (*directory)->path()));
  if (!trouble.empty()) return complain(trouble), kTrouble;
  const std::vector<judge::Verdict> verdicts = {load::verdict_of(all)};
  return judge::exit_status(verdicts, all.interrupted);
}

}  // namespace

void add_capacity(CLI::App& app, int& status) {
  auto flags = std::make_shared<CapacityFlags>();
  auto* command = app.add_subcommand(
      "capacity", "Find the highest load of a plan that still meets its SLO: climb, bracket, bisect, confirm");
  add_play_flags(*command, *flags)->description("One plan (a file with plan:)");
  command->add_option("--profile", flags->profile,
                      "Instead of a plan: customers with this device, e.g. thunderbird (scenarios/devices)");
  command->add_option("--accounts", flags->accounts, "Customers of --profile, where the search begins")
      ->check(CLI::Range(1U, 1'000'000U))
      ->capture_default_str();
  command->add_option("--rate", flags->rate, "Deliveries of --profile for so many accounts, e.g. 20/s");
  command
      ->add_option(
          "--step-for", flags->step_for,
          "How long each load lasts, and is measured, once its customers have come; they come as quickly as in the "
          "plan's ramp, within as long at most")
      ->capture_default_str();
  command
      ->add_option("--max-steps", flags->max_steps,
                   "Loads that are played at most, three of them to confirm the answer")
      ->check(CLI::Range(1U, 1000U))
      ->capture_default_str();
  command
      ->add_option("--precision", flags->precision, "Between what holds and what does not, in per cent of the answer")
      ->check(CLI::Range(0.1, 50.0))
      ->capture_default_str();
  command->add_option("--from", flags->from, "Accounts of the first load (default: the plan's)")
      ->check(CLI::Range(1U, kMostAccounts));
  command->add_option("--most", flags->most, "Accounts at most (default: what the target's pool has)")
      ->check(CLI::Range(1U, kMostAccounts));
  command->add_option("--at-least", flags->at_least, "Accounts that must be carried: exit status 1 where they are not")
      ->check(CLI::Range(1U, kMostAccounts));
  command->add_option("--audit", flags->audit, "Accounts that are looked into after each load: all, or a part like 10%")
      ->capture_default_str();
  command->add_option("--jobs", flags->jobs, "Generator threads")->check(CLI::Range(1U, 64U))->capture_default_str();
  command->add_option("--yes-load", flags->yes_load, "Host that may be loaded although it is not loopback");
  add_serves_flag(*command, *flags);
  command->callback([flags, command, &status] {
    if (!flags->paths.empty() && (command->count("--accounts") > 0 || !flags->rate.empty())) {
      status = complain("a plan says itself how many and how fast: --accounts and --rate are of --profile");
      return;
    }
    status = capacity(*flags);
  });
}

}  // namespace mailproof::cli
