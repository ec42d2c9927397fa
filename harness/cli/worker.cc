#include "cli/worker.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/admin.h"
#include "cli/commands.h"
#include "cli/signals.h"
#include "core/rng.h"
#include "judge/judge.h"
#include "net/loop.h"
#include "play/requirements.h"
#include "sim/sim_network.h"
#include "sim/wrong_server.h"

namespace mailproof::cli {
namespace {

constexpr std::size_t kMostFailed = 3;
/// In the history of a scenario that was left out although it could have been played.
constexpr std::string_view kLeftOut = "slow";

}  // namespace

std::optional<AccountPool::Lease> AccountPool::lease(const scenario::Scenario& scenario, std::string& why) {
  std::unique_lock lock(mutex_);
  while (true) {
    if (!begun_ && failed_ >= kMostFailed) {
      why = fmt::format("not tried any more, as none of the first {} could begin; the last one: {}", failed_, trouble_);
      return std::nullopt;
    }
    Lease lease;
    lease.indexes = play::choose_accounts(scenario, target_, taken_, why);
    if (lease.indexes.size() == scenario.accounts.size()) {
      ++out_;
      for (const auto index : lease.indexes) lease.accounts.push_back(target_.accounts[index]);
      return lease;
    }
    if (out_ == 0 || interrupted()) return std::nullopt;
    returned_.wait_for(lock, std::chrono::milliseconds(200));
  }
}

void AccountPool::give_back(const Lease& lease, Use use) {
  const std::lock_guard lock(mutex_);
  --out_;
  if (use.usable)
    for (const auto index : lease.indexes) taken_[index] = false;
  begun_ = begun_ || use.begun;
  if (!use.begun && !use.trouble.empty()) {
    ++failed_;
    trouble_ = std::move(use.trouble);
  }
  returned_.notify_all();
}

net::LoopOptions loop_options(const RunSetup& setup) {
  net::LoopOptions options;
  options.tls.ca_file = setup.target->ca_file;
  options.tls.insecure = setup.target->insecure;
  options.start = setup.start;
  return options;
}

std::unique_ptr<Admin> make_admin(const RunSetup& setup, net::Loop& loop) {
  if (setup.hosted != nullptr) return make_hosted_admin(*setup.hosted, loop);
  return make_command_admin(*setup.target, loop);
}

play::PlayOptions play_options(const RunSetup& setup, std::uint32_t copy) {
  play::PlayOptions options;
  options.run_seed = setup.flags->seed;
  options.copy = copy;
  options.run_id = setup.run_id;
  options.patience = setup.flags->patience;
  options.keep = setup.flags->keep;
  options.own_mailboxes = setup.flags->own_mailboxes;
  options.date = setup.date;
  options.version = kVersion;
  static thread_local sasl::SaltedPasswords salted_passwords;
  options.salted_passwords = &salted_passwords;
  static thread_local play::OfferedBefore offered;
  if (!setup.flags->target.sim) options.offered = &offered;
  return options;
}

std::string reproduce_command(const PlayFlags& flags, const scenario::Scenario& scenario) {
  std::string command = "mailproof run " + scenario.path;
  if (scenario.check) command += " --only " + scenario.id;
  if (flags.target.sim) command += " --sim";
  if (flags.target.sockets) command += " --sockets";
  if (!flags.target.file.empty()) command += " --target " + flags.target.file;
  const auto endpoints = [&](const char* option, const std::vector<std::string>& values) {
    for (const auto& value : values) command += fmt::format(" {} {}", option, value);
  };
  endpoints("--imap", flags.target.imap);
  endpoints("--pop3", flags.target.pop3);
  endpoints("--lmtp", flags.target.lmtp);
  endpoints("--smtp", flags.target.smtp);
  if (!flags.target.user.empty()) command += fmt::format(" --tls {} --user {}", flags.target.tls, flags.target.user);
  endpoints("--defect", flags.target.builtin.defects);
  endpoints("--latitude", flags.target.builtin.latitudes);
  if (flags.own_mailboxes) command += " --i-own-these-mailboxes";
  if (flags.strict) command += " --strict";
  if (std::find(scenario.tags.begin(), scenario.tags.end(), "slow") != scenario.tags.end()) command += " --slow";
  command += fmt::format(" --seed {}", flags.seed);
  if (flags.patience != 1) command += fmt::format(" --patience {}", flags.patience);
  return command;
}

std::string with_copy(const std::string& command, std::uint32_t copy) {
  return copy == 0 ? command : fmt::format("{} --copy {}", command, copy);
}

void withhold(report::ScenarioResult& result, judge::Verdict verdict) {
  for (auto& finding : result.findings)
    if (finding.severity != judge::Severity::error) finding.severity = judge::Severity::inconclusive;
  if (result.verdict != judge::Verdict::error) result.verdict = verdict;
}

report::ScenarioResult judged(const history::History& history, const report::Gate* gate, bool strict) {
  const judge::Judgement judgement = judge::judge(history, strict);
  report::ScenarioResult result;
  result.id = history.info.scenario;
  result.title = history.info.title;
  result.verdict = judgement.verdict;
  result.findings = judgement.findings;
  result.note = judgement.note;
  result.hash = history.info.scenario_hash;
  if (history.info.check) {
    result.kind = report::Kind::check;
    result.level = history.info.check->level;
  }
  // What we left out ourselves went nowhere: a baseline that has it as played says nothing about the server.
  const auto& events = history.events();
  const bool left_out = std::any_of(events.begin(), events.end(), [](const history::Event& e) {
    return e.what == history::What::not_applicable && e.code == kLeftOut;
  });
  if (gate != nullptr && !left_out) report::accept(*gate, result);
  return result;
}

namespace {

constexpr std::size_t kMostEvents = 300;       ///< drawn of one scenario
constexpr std::size_t kMostDrawn = 2000;       ///< of what did not pass; a run of a million copies holds no more
constexpr std::size_t kMostPassedDrawn = 200;  ///< of stories that passed, which are less looked at

/// It waits out a server's timer, and nobody asked for that.
bool left_out(const RunSetup& setup, const scenario::Scenario& scenario) {
  return !setup.flags->slow && std::find(scenario.tags.begin(), scenario.tags.end(), "slow") != scenario.tags.end();
}

/// Drawn for report.html while the history is there. By slot, so that --jobs makes no difference.
bool worth_drawing(const Job& job, const report::ScenarioResult& result) {
  if (result.verdict == judge::Verdict::not_applicable) return false;
  if (result.verdict != judge::Verdict::pass) return job.slot < kMostDrawn;
  return result.kind == report::Kind::story && job.slot < kMostPassedDrawn;
}

/// While a server is silent everything before it is on disk: whoever kills the run then finds what led there.
void run_player(Network& network, play::Player& player, RunDirectory::Stream* stream) {
  player.start();
  const bool over = network.run([&] {
    if (!network.simulated() && stream != nullptr) stream->flush();
    return player.done() || interrupted();
  });
  if (interrupted()) return player.interrupt();
  if (!over) player.stalled();
}

report::ScenarioResult conclude(const RunSetup& setup, const Job& job, const history::History& history, Duration took) {
  report::ScenarioResult result = judged(history, setup.gate, setup.flags->strict);
  result.why = job.scenario->why;
  result.seconds = std::chrono::duration<double>(took).count();
  // Of a check that could not be played no history says that it is one.
  result.kind = is_check(*job.scenario) ? report::Kind::check : report::Kind::story;
  result.level = level_of(*job.scenario);
  if (worth_drawing(job, result)) result.lanes = report::lanes_of(history, kMostEvents);
  const std::string command = with_copy(reproduce_command(*setup.flags, *job.scenario), job.copy);
  for (auto& finding : result.findings) finding.reproduce = command;
  return result;
}

/// What was not played has a history too, which says why.
report::ScenarioResult unplayed(const RunSetup& setup, const Job& job, history::What what, std::string_view code,
                                const std::string& why) {
  history::History history;
  history.info.scenario = job.scenario->id;
  history.info.title = job.scenario->title;
  history.info.scenario_hash = job.scenario->hash;
  history.info.target = setup.target->name;
  history.info.version = kVersion;
  history.info.run_seed = setup.flags->seed;
  history.info.copy = job.copy;
  if (is_check(*job.scenario) && what == history::What::not_applicable)
    history.info.check = history::CheckInfo{level_of(*job.scenario), "", job.scenario->check->talks(), ""};
  const auto stream = setup.directory != nullptr ? setup.directory->stream(job.slot, history) : nullptr;
  history::Event e;
  e.type = history::Type::obs;
  e.what = what;
  e.code = code;
  e.text = why;
  history.append(std::move(e));
  if (stream) stream->end({});
  return conclude(setup, job, history, {});
}

}  // namespace

report::ScenarioResult play(const RunSetup& setup, const Job& job) {
  const scenario::Scenario& scenario = *job.scenario;
  if (left_out(setup, scenario))
    return unplayed(setup, job, history::What::not_applicable, kLeftOut, "slow: not run without --slow");
  if (const auto why = play::not_applicable(scenario, *setup.target))
    return unplayed(setup, job, history::What::not_applicable, "", *why);
  const bool sim = setup.flags->target.sim;
  // In simulation every scenario has a server, and so a pool, of its own: --jobs must not change who gets which
  // account.
  AccountPool own(*setup.target);
  AccountPool& pool = sim ? own : *setup.pool;
  std::string why;
  const auto lease = pool.lease(scenario, why);
  if (!lease) return unplayed(setup, job, history::What::problem, interrupted() ? "interrupted" : "accounts", why);

  std::shared_lock<std::shared_mutex> beside_others;
  std::unique_lock<std::shared_mutex> alone;
  if (!sim) {
    if (play::disturbing_step(scenario.steps) != nullptr) {
      alone = std::unique_lock(*setup.quiet);
    } else {
      beside_others = std::shared_lock(*setup.quiet);
    }
  }
  std::unique_ptr<server::Server> server;
  std::optional<sim::WrongServer> wrong;
  std::unique_ptr<Network> network;
  std::unique_ptr<Admin> admin;
  std::optional<Nudged> nudged;
  if (sim) {
    BuiltinOptions builtin = setup.flags->target.builtin;
    builtin.seed = derive_seed(setup.flags->seed, scenario.id, job.copy);
    server = std::make_unique<server::Server>(builtin_server(builtin, lease->accounts));
    sim::SimNetwork::Options options;
    options.seed = builtin.seed;
    options.tls_ports = {kSimImapTls, kSimPop3Tls};
    if (setup.dialogues != nullptr) {
      wrong.emplace(*setup.dialogues);
      options.wrap = [&](Protocol protocol, std::unique_ptr<Peer> peer, const sim::SimNetwork::Reset& reset) {
        return wrong->wrap(protocol, std::move(peer), reset);
      };
    }
    auto in_memory = std::make_unique<sim::SimNetwork>(*server, options);
    admin = make_sim_admin(*server, *in_memory);
    network = std::move(in_memory);
  } else {
    auto loop = std::make_unique<net::Loop>(loop_options(setup));
    nudged.emplace(*loop);
    admin = make_admin(setup, *loop);
    network = std::move(loop);
  }
  report::ScenarioResult result;
  AccountPool::Use use;
  {
    play::PlayOptions options = play_options(setup, job.copy);
    options.admin = admin.get();
    if (setup.rules != nullptr) options.keep_bytes = setup.rules->protocols();
    play::Player player(scenario, *setup.target, lease->accounts, *network, options);
    const auto stream = setup.directory != nullptr ? setup.directory->stream(job.slot, player.history()) : nullptr;
    run_player(*network, player, stream.get());
    if (setup.rules != nullptr) setup.rules->look(scenario, job.slot, player);
    if (stream) stream->end(player.playing_time());
    result = conclude(setup, job, player.history(), player.playing_time());
    if (stream && !stream->trouble().empty()) {
      withhold(result, judge::Verdict::error);
      result.note = not_written(stream->trouble());
    }
    if (setup.directory != nullptr && (!sim || result.verdict != judge::Verdict::pass))
      setup.directory->write_wire(job.slot, scenario.id, player.history(), player.logs());
    for (const auto& event : player.history().events())
      if (event.what == history::What::baseline) {
        use.begun = true;
      } else if (event.what == history::What::problem) {
        use.trouble = event.text;
        use.usable = use.usable && event.code != "baseline";
      }
  }
  if (wrong && setup.unreached != nullptr) *setup.unreached = wrong->unreached();
  admin.reset();
  nudged.reset();
  pool.give_back(*lease, std::move(use));
  return result;
}

}  // namespace mailproof::cli
