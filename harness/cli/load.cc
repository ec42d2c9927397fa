#include "play/load.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <thread>

#include "cli/commands.h"
#include "cli/load_report.h"
#include "cli/signals.h"
#include "cli/worker.h"
#include "core/rng.h"
#include "core/units.h"
#include "history/jsonl.h"
#include "judge/judge.h"
#include "play/requirements.h"
#include "sim/sim_network.h"

namespace mailproof::cli {
namespace {

struct LoadFlags : PlayFlags {
  std::uint32_t copies = 10;
  std::string rate, duration, yes_load;
  unsigned jobs = 1;
};

constexpr double kMostRate = 10'000;  // arrivals a second
constexpr Duration kLongest = std::chrono::hours(24);
constexpr std::size_t kMostDumped = 20;  // copies with findings whose histories and byte logs are written out
constexpr Duration kDefaultRamp = std::chrono::seconds(10);  // without --rate all copies begin within this time

/// What a thread brings home.
struct Harvest {
  LedgerTotals ledger;
  std::map<std::string, Tally> findings;
  std::map<std::string, std::uint64_t> verdicts;
  std::vector<judge::Verdict> seen;
  stats::Operations operations;
  Generator generator;
  std::string wrong;
  double seconds = 0;
};

bool loopback(const Endpoint& endpoint) {
  return endpoint.host == "localhost" || endpoint.host == "::1" || endpoint.host.starts_with("127.") ||
         endpoint.host == "sim";
}

std::optional<std::string> foreign_host(const scenario::Target& target) {
  for (const auto* all : {&target.imap, &target.pop3, &target.smtp, &target.lmtp})
    for (const auto& endpoint : *all)
      if (!loopback(endpoint)) return endpoint.host;
  return std::nullopt;
}

double thread_cpu() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// What only shows under load is shown again by the same load.
std::string load_command(const LoadFlags& flags, const scenario::Scenario& scenario) {
  std::string command = reproduce_command(flags, scenario, 0);
  command.replace(command.find(" run "), 5, " load ");
  command += fmt::format(" --copies {}", flags.copies);
  if (!flags.rate.empty()) command += " --rate " + flags.rate;
  if (!flags.duration.empty()) command += " --for " + flags.duration;
  if (flags.jobs != 1) command += fmt::format(" --jobs {}", flags.jobs);
  return command;
}

void take(Harvest& harvest, const RunSetup& setup, const LoadFlags& flags, const scenario::Scenario& scenario,
          play::Player& player, std::uint32_t copy) {
  const auto judgement = judge::judge(player.history(), flags.strict);
  harvest.ledger.add(player.history(), player.ledger());
  ++harvest.verdicts[std::string(name(judgement.verdict))];
  harvest.seen.push_back(judgement.verdict);
  const auto& accounts = player.history().info.accounts;
  for (const auto& finding : judgement.findings) {
    Tally& tally = harvest.findings[finding.id];
    if (tally.times++ == 0) {
      tally.first = finding;
      tally.first.reproduce = load_command(flags, scenario);
    }
    for (const auto& message : finding.messages)
      if (tally.messages.size() < kMostNamed)
        tally.messages.push_back(
            fmt::format("copy {}: {} of {}", copy, message, accounts.empty() ? "" : accounts.front().login));
  }
  if (judgement.findings.empty() || copy >= 1'000'000) return;
  if (harvest.seen.size() - harvest.verdicts["pass"] > kMostDumped) return;
  setup.directory->write_wire(copy, scenario.id, player.history(), player.logs());
  write_file(setup.directory->file(fmt::format("history/{:06}.jsonl", copy)), history::write_all(player.history()));
}

/// One thread: its own network, every n-th copy.
Harvest generate(const RunSetup& setup, const LoadFlags& flags, const scenario::Scenario& scenario,
                 std::vector<std::vector<scenario::PoolAccount>> slots, play::Arrivals arrivals, Duration bound,
                 bool progress) {
  Harvest harvest;
  std::unique_ptr<server::Server> server;
  std::unique_ptr<Network> network;
  std::optional<Nudged> nudged;
  net::Loop* loop = nullptr;
  if (flags.target.sim) {
    BuiltinOptions builtin = flags.target.builtin;
    builtin.seed = derive_seed(flags.seed, scenario.id);
    std::vector<scenario::PoolAccount> accounts;
    for (const auto& slot : slots) accounts.insert(accounts.end(), slot.begin(), slot.end());
    server = std::make_unique<server::Server>(builtin_server(builtin, accounts));
    network = std::make_unique<sim::SimNetwork>(*server, sim::SimNetwork::Options{.seed = builtin.seed});
  } else {
    auto made = std::make_unique<net::Loop>(loop_options(setup));
    loop = made.get();
    nudged.emplace(*made);
    network = std::move(made);
  }
  {
    play::LoadShard shard(scenario, *setup.target, std::move(slots), *network, play_options(setup, 0), arrivals);
    shard.on_copy = [&](play::Player& player, std::uint32_t copy) {
      take(harvest, setup, flags, scenario, player, copy);
    };
    bool checked = false;
    shard.preflight([&](std::string wrong) {
      harvest.wrong = std::move(wrong);
      checked = true;
    });
    network->run([&] { return checked || interrupted(); });
    if (!harvest.wrong.empty() || interrupted()) return harvest;
    const double cpu = thread_cpu();
    const Time began = network->now();
    shard.start();
    Time told = began;
    network->run([&] {
      const Time now = network->now();
      if (now - began > bound && !shard.done()) shard.close();
      if (progress && now - told > std::chrono::seconds(1)) {
        told = now;
        const auto p = shard.progress();
        fmt::print(stderr, "\r{:>6.0f} s  due {}  begun {}  running {}  over {} ",
                   std::chrono::duration<double>(now - began).count(), p.due, p.begun, p.running, p.over);
      }
      return shard.done() || interrupted();
    });
    if (progress) fmt::print(stderr, "\n");
    if (interrupted()) shard.interrupt();
    harvest.seconds = std::chrono::duration<double>(network->now() - began).count();
    if (loop != nullptr) {
      harvest.generator.cpu = (thread_cpu() - cpu) / std::max(harvest.seconds, 1e-9);
      harvest.generator.worst_timer = loop->load().worst_lateness;
    }
    harvest.generator.worst_lateness = shard.worst_own_lateness();
    harvest.operations.merge(shard.operations());
  }
  return harvest;
}

int load(const LoadFlags& flags) {
  const auto target = make_target(flags.target);
  if (!target) return complain(target.error().message());
  const auto scenarios = load_scenarios(flags.paths, flags.scenarios);
  if (!scenarios) return kWrongUse;
  if (scenarios->size() != 1) return complain("load plays one story; these paths name several");
  const scenario::Scenario& scenario = scenarios->front();
  if (const auto host = foreign_host(*target); host && flags.yes_load != *host)
    return complain(fmt::format("{} is not loopback: say --yes-load {} if it may be loaded", *host, *host));
  if (const auto why = play::not_applicable(scenario, *target))
    return complain(fmt::format("{} is not applicable: {}", scenario.id, *why));

  play::Arrivals arrivals;
  arrivals.rate = static_cast<double>(flags.copies) / std::chrono::duration<double>(kDefaultRamp).count();
  if (!flags.rate.empty()) {
    const auto rate = parse_rate(flags.rate);
    if (!rate || *rate > kMostRate)
      return complain(fmt::format("--rate {}: expected something like 20/s, at most {:.0f}/s", flags.rate, kMostRate));
    arrivals.rate = *rate;
  }
  arrivals.total = flags.copies;
  Duration bound = kLongest;
  if (!flags.duration.empty()) {
    const auto duration = parse_duration(flags.duration);
    if (!duration || *duration > kLongest || *duration <= Duration::zero())
      return complain(fmt::format("--for {}: expected a time like 30s or 5m, at most 24h", flags.duration));
    arrivals.total = static_cast<std::uint32_t>(
        std::min(4e9, std::ceil(arrivals.rate * std::chrono::duration<double>(*duration).count())));
    bound = *duration + std::chrono::milliseconds(1);
  }
  const auto directory = RunDirectory::make(flags.out);
  if (!directory) return complain(directory.error().message());
  BuiltinOptions builtin = flags.target.builtin;
  builtin.users = std::max<unsigned>(builtin.users, flags.copies * static_cast<unsigned>(scenario.accounts.size()));
  builtin.small = std::max<unsigned>(builtin.small, flags.copies);
  TargetFlags target_flags = flags.target;
  target_flags.builtin = builtin;
  const auto pool_target = flags.target.sim || flags.target.sockets ? make_target(target_flags) : target;
  const auto hosted = host_builtin(target_flags, *pool_target);
  if (!hosted) return complain(hosted.error().message());

  std::vector<std::vector<std::vector<scenario::PoolAccount>>> slots(flags.jobs);
  std::vector<bool> taken;
  for (std::uint32_t i = 0; i < flags.copies; ++i) {
    std::string why;
    const auto chosen = play::choose_accounts(scenario, hosted->target, taken, why);
    if (chosen.empty() && !scenario.accounts.empty())
      return complain(
          fmt::format("{} copies at a time need accounts for each: after {} of them, {}", flags.copies, i, why));
    auto& slot = slots[i % flags.jobs].emplace_back();
    for (const auto index : chosen) slot.push_back(hosted->target.accounts[index]);
  }
  RunSetup setup;
  setup.target = &hosted->target;
  setup.flags = &flags;
  setup.directory = directory->get();
  setup.start = std::chrono::steady_clock::now();
  setup.run_id = flags.target.sim ? flags.seed : fresh_run_id();
  setup.date = flags.target.sim ? "Thu, 01 Jan 2026 00:00:00 +0000" : date_now();

  std::vector<Harvest> harvests(flags.jobs);
  std::vector<std::thread> threads;
  const auto one = [&](unsigned i) {
    play::Arrivals mine = arrivals;
    mine.first = i;
    mine.step = flags.jobs;
    harvests[i] = generate(setup, flags, scenario, slots[i], mine, bound,
                           i == 0 && ::isatty(STDERR_FILENO) == 1 && !flags.target.sim);
  };
  for (unsigned i = 1; i < flags.jobs; ++i) threads.emplace_back(one, i);
  one(0);
  for (auto& thread : threads) thread.join();

  LoadResult result;
  result.story = scenario.id;
  result.target = flags.target.sim ? "sim" : hosted->target.name;
  result.seed = flags.seed;
  result.copies = arrivals.total;
  result.slots = flags.copies;
  result.rate = arrivals.rate;
  result.interrupted = interrupted();
  std::vector<judge::Verdict> verdicts;
  for (auto& harvest : harvests) {
    result.operations.merge(harvest.operations);
    result.ledger.merge(harvest.ledger);
    for (const auto& [verdict, count] : harvest.verdicts) result.verdicts[verdict] += count;
    verdicts.insert(verdicts.end(), harvest.seen.begin(), harvest.seen.end());
    for (auto& [id, tally] : harvest.findings) {
      Tally& all = result.findings[id];
      if (all.times == 0) all.first = tally.first;
      all.times += tally.times;
      all.messages.insert(all.messages.end(), tally.messages.begin(), tally.messages.end());
    }
    result.seconds = std::max(result.seconds, harvest.seconds);
    result.generator.cpu = std::max(result.generator.cpu, harvest.generator.cpu);
    result.generator.worst_lateness = std::max(result.generator.worst_lateness, harvest.generator.worst_lateness);
    result.generator.worst_timer = std::max(result.generator.worst_timer, harvest.generator.worst_timer);
    if (result.note.empty()) result.note = harvest.wrong;
  }
  if (!result.note.empty()) verdicts.push_back(judge::Verdict::error);
  result.worst = verdicts.empty() ? judge::Verdict::inconclusive : judge::worst(verdicts);
  fmt::print("{}", to_text(result));
  setup.directory->join_histories();
  const std::string trouble = write_file(setup.directory->file("stats.json"), to_json(result));
  fmt::print("{}\n", setup.directory->path());
  if (!trouble.empty()) return complain(trouble), kTrouble;
  const std::vector<judge::Verdict> all = {verdict_of(result)};
  return judge::exit_status(all, result.interrupted);
}

}  // namespace

void add_load(CLI::App& app, int& status) {
  auto flags = std::make_shared<LoadFlags>();
  auto* command = app.add_subcommand("load", "Play many copies of a story at a time, with open arrivals");
  add_play_flags(*command, *flags);
  command
      ->add_option(
          "--copies", flags->copies,
          "Copies that may run at the same time, each on accounts of its own; without --for each is played once")
      ->check(CLI::Range(1U, 100'000U))
      ->capture_default_str();
  command->add_option(
      "--rate", flags->rate,
      "Copies that begin, e.g. 20/s, whether or not the server keeps up (default: all of them within 10 s)");
  command->add_option("--for", flags->duration, "How long copies go on beginning, e.g. 1m; slots are used again");
  command->add_option("--jobs", flags->jobs, "Generator threads")->check(CLI::Range(1U, 64U))->capture_default_str();
  command->add_option("--yes-load", flags->yes_load, "Host that may be loaded although it is not loopback");
  command->callback([flags, &status] { status = load(*flags); });
}

}  // namespace mailproof::cli
