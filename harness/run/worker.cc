#include "run/worker.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/rng.h"
#include "core/version.h"
#include "history/talk_ends.h"
#include "host/admin.h"
#include "host/foreign_host.h"
#include "host/signals.h"
#include "judge/judge.h"
#include "net/loop.h"
#include "play/requirements.h"
#include "report/groups.h"
#include "sim/sim_network.h"
#include "sim/wrong_server.h"

namespace mailproof::run {
namespace {

/// In the history of a scenario that was left out although it could have been played.
constexpr std::string_view kLeftOut = "slow";

}  // namespace

Duration waits_out(const scenario::Scenario& scenario, const scenario::Target& target) {
  Duration out{};
  if (scenario.check)
    for (const auto& line : scenario.check->talk)
      if (line.op == scenario::TalkLine::Op::wait || line.op == scenario::TalkLine::Op::quiet) out += line.span;
  const auto limited = [](const scenario::Account& account) { return account.quota.has_value(); };
  if (std::any_of(scenario.accounts.begin(), scenario.accounts.end(), limited)) out += target.settle;
  return out;
}

net::LoopOptions loop_options(const Setup& setup) {
  net::LoopOptions options;
  options.tls.ca_file = setup.target->ca_file;
  options.tls.insecure = setup.target->insecure;
  options.start = setup.start;
  return options;
}

std::unique_ptr<Admin> make_admin(const Setup& setup, net::Loop& loop) {
  if (setup.hosted != nullptr) return host::make_hosted_admin(*setup.hosted, loop);
  return host::make_command_admin(*setup.target, loop, *setup.owed);
}

play::PlayOptions play_options(const Setup& setup, std::uint32_t copy) {
  play::PlayOptions options;
  options.run_seed = setup.settings.seed;
  options.copy = copy;
  options.run_id = setup.run_id;
  options.patience = setup.settings.patience;
  options.keep = setup.settings.keep;
  options.own_mailboxes = setup.settings.own_mailboxes;
  options.alone = setup.settings.simulated.has_value() || setup.hosted != nullptr;
  options.overheard = !setup.settings.simulated && host::foreign_host(*setup.target).has_value();
  options.date = setup.date;
  options.version = kVersion;
  static thread_local sasl::SaltedPasswords salted_passwords;
  options.salted_passwords = &salted_passwords;
  static thread_local play::OfferedBefore offered;
  static play::Learnt learnt;
  if (!setup.settings.simulated) {
    options.offered = &offered;
    options.learnt = &learnt;
  }
  return options;
}

std::string with_copy(const std::string& command, std::uint32_t copy) {
  return copy == 0 ? command : fmt::format("{} --copy {}", command, copy);
}

void withhold(report::ScenarioResult& result, judge::Verdict verdict) {
  for (auto& finding : result.findings)
    if (finding.severity != judge::Severity::error) finding.severity = judge::Severity::inconclusive;
  if (result.verdict != judge::Verdict::error) result.verdict = verdict;
}

report::ScenarioResult broken_off(std::string_view id, std::string_view doing, const std::string& what) {
  report::ScenarioResult result;
  result.id = id;
  result.verdict = judge::Verdict::error;
  judge::Finding finding;
  finding.id = fmt::format("{}/judging/crashed", id);
  finding.severity = judge::Severity::error;
  finding.requirement = "What is played must be judged to its end";
  finding.expected = "no error of our own";
  finding.actual = result.note = fmt::format("{} broke off: {} was thrown", doing, what);
  result.findings.push_back(std::move(finding));
  return result;
}

namespace {

/// In place of the first line of a talk that did not come out right; nothing where all did.
std::optional<std::string> what_came(const history::History& history) {
  constexpr std::string_view kAmong = "no such reply among\n";  // what there was stands below it
  for (const history::Event& e : history.events())
    if (e.what == history::What::talk && e.type == history::Type::fail)
      return e.text.starts_with(kAmong) ? e.text.substr(kAmong.size()) : e.text;
  return std::nullopt;
}

report::ScenarioResult judged_to_the_end(const history::History& history, const report::Gate* gate, bool strict) {
  const judge::Judgement judgement = judge::judge(history, strict);
  report::ScenarioResult result;
  result.id = history.info.scenario;
  result.title = history.info.title;
  result.verdict = judgement.verdict;
  result.findings = judgement.findings;
  result.note = judgement.note;
  result.kept_download = judgement.kept_download;
  result.hash = history.info.scenario_hash;
  result.events = history.events().size();
  report::sort_by_origin(result);
  if (history.info.check) {
    result.kind = report::Kind::check;
    result.level = history.info.check->level;
    if (result.level == "MAY") result.not_so = what_came(history);
  }
  // What we left out ourselves went nowhere: a baseline that has it as played says nothing about the server.
  const auto& events = history.events();
  const bool left_out = std::any_of(events.begin(), events.end(), [](const history::Event& e) {
    return e.what == history::What::not_applicable && e.code == kLeftOut;
  });
  if (gate != nullptr && !left_out) report::accept(*gate, result);
  return result;
}

}  // namespace

report::ScenarioResult judged(const history::History& history, const report::Gate* gate, bool strict) {
  try {
    return judged_to_the_end(history, gate, strict);
  } catch (...) {
    return broken_off(history.info.scenario, "judging it", play::what_was_thrown());
  }
}

namespace {

constexpr std::size_t kMostEvents = 300;       ///< drawn of one scenario
constexpr std::size_t kMostDrawn = 2000;       ///< of what did not pass; a run of a million copies holds no more
constexpr std::size_t kMostPassedDrawn = 200;  ///< of stories that passed, which are less looked at

/// It waits out a server's timer, and nobody asked for that.
bool left_out(const Setup& setup, const scenario::Scenario& scenario) {
  return !setup.settings.slow && std::find(scenario.tags.begin(), scenario.tags.end(), "slow") != scenario.tags.end();
}

/// Drawn for report.html while the history is there. By slot, so that --jobs makes no difference.
bool worth_drawing(const Job& job, const report::ScenarioResult& result) {
  if (result.verdict == judge::Verdict::not_applicable) return false;
  if (result.verdict != judge::Verdict::pass) return job.slot < kMostDrawn;
  return result.kind == report::Kind::story && job.slot < kMostPassedDrawn;
}

/// While a server is silent everything before it is on disk: whoever kills the run then finds what led there.
void run_player(Network& network, play::Player& player, archive::RunDirectory::Stream* stream) {
  try {
    player.start();
    const bool over = network.run([&] {
      if (!network.simulated() && stream != nullptr) stream->flush();
      return player.done() || host::interrupted();
    });
    if (host::interrupted()) return player.interrupt();
    if (!over) player.stalled();
  } catch (...) {  // what the player did not call itself: the server in memory, an admin command
    player.broke(play::what_was_thrown());
  }
}

/// Gives the accounts back whatever comes. After something was thrown nobody knows what is left in their mailboxes.
class Lent {
 public:
  Lent(AccountPool& pool, const AccountPool::Lease& lease) : pool_(pool), lease_(lease) {}
  ~Lent() { pool_.give_back(lease_, std::move(use)); }
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;
  AccountPool::Use use{.usable = false, .begun = false, .trouble = "it broke off"};

 private:
  AccountPool& pool_;
  const AccountPool::Lease& lease_;
};

report::ScenarioResult conclude(const Setup& setup, const Job& job, const history::History& history, Duration took) {
  report::ScenarioResult result = judged(history, setup.gate, setup.settings.strict);
  result.why = job.scenario->why;
  result.seconds = std::chrono::duration<double>(took).count();
  // Of a check that could not be played no history says that it is one.
  result.kind = job.scenario->check.has_value() ? report::Kind::check : report::Kind::story;
  result.level = scenario::level_of(*job.scenario);
  if (worth_drawing(job, result)) result.lanes = report::lanes_of(history, kMostEvents);
  const std::string command = with_copy(setup.command ? setup.command(*job.scenario) : std::string(), job.copy);
  for (auto& finding : result.findings) finding.reproduce = command;
  return result;
}

/// What was not played has a history too, which says why.
report::ScenarioResult unplayed(const Setup& setup, const Job& job, history::What what, std::string_view code,
                                const std::string& why) {
  history::History history;
  history.info.scenario = job.scenario->id;
  history.info.title = job.scenario->title;
  history.info.scenario_hash = job.scenario->hash;
  history.info.target = setup.target->name;
  history.info.version = kVersion;
  history.info.run_seed = setup.settings.seed;
  history.info.copy = job.copy;
  if (job.scenario->check.has_value() && what == history::What::not_applicable)
    history.info.check = history::CheckInfo{scenario::level_of(*job.scenario), "", job.scenario->check->talks(), ""};
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

/// A play of a scenario, and how a check ended that is played once more.
struct Played {
  report::ScenarioResult result;
  std::optional<play::EarlierEnd> early_end;
  std::vector<std::size_t> accounts = {};  ///< indexes in the pool
};

/// What was seen to be empty so long ago is looked at again: somebody may have sent something since.
constexpr Duration kSeenIsOld = std::chrono::seconds(10);

/// A check that ended by silence is played once more with so much more patience.
constexpr double kMorePatience = 3;

/// `before`: the play that ended early, whose session may have its maildrop still.
Played play_once(const Setup& setup, const Job& job, const Played* before) {
  const scenario::Scenario& scenario = *job.scenario;
  if (left_out(setup, scenario))
    return {unplayed(setup, job, history::What::not_applicable, kLeftOut, "slow: not run without --slow"), {}};
  if (const auto why = play::not_applicable(scenario, *setup.target))
    return {unplayed(setup, job, history::What::not_applicable, "", *why), {}};
  const bool sim = setup.settings.simulated.has_value();
  // In simulation every scenario has a server, and so a pool, of its own: --jobs must not change who gets which
  // account.
  AccountPool own(*setup.target);
  AccountPool& pool = sim ? own : *setup.pool;
  std::string why;
  const auto lease =
      pool.lease(scenario, why, before == nullptr || sim ? std::vector<std::size_t>() : before->accounts);
  if (!lease)
    return {unplayed(setup, job, history::What::problem, host::interrupted() ? "interrupted" : "accounts", why), {}};

  Lent lent(pool, *lease);
  std::shared_lock<std::shared_mutex> beside_others;
  std::unique_lock<std::shared_mutex> alone;
  if (!sim) {
    if (play::plays_alone(scenario)) {
      alone = std::unique_lock(*setup.quiet);
    } else {
      beside_others = std::shared_lock(*setup.quiet);
    }
  }
  std::unique_ptr<server::Server> server;
  std::optional<sim::WrongServer> wrong;
  std::unique_ptr<Network> network;
  std::unique_ptr<Admin> admin;
  std::optional<host::Nudged> nudged;
  if (sim) {
    host::BuiltinOptions builtin = *setup.settings.simulated;
    builtin.seed = derive_seed(setup.settings.seed, scenario.id, job.copy);
    server = std::make_unique<server::Server>(host::builtin_server(builtin, lease->accounts));
    sim::SimNetwork::Options options;
    options.seed = builtin.seed;
    options.tls_ports = {host::kSimImapTls, host::kSimPop3Tls, host::kSimSmtpTls};
    if (setup.dialogues != nullptr) {
      wrong.emplace(*setup.dialogues);
      options.wrap = [&](Protocol protocol, std::unique_ptr<Peer> peer, const sim::SimNetwork::Reset& reset) {
        return wrong->wrap(protocol, std::move(peer), reset);
      };
    }
    auto in_memory = std::make_unique<sim::SimNetwork>(*server, options);
    admin = host::make_sim_admin(*server, *in_memory);
    network = std::move(in_memory);
  } else {
    auto loop = std::make_unique<net::Loop>(loop_options(setup));
    nudged.emplace(*loop);
    admin = make_admin(setup, *loop);
    network = std::move(loop);
  }
  Played out;
  out.accounts = lease->indexes;
  report::ScenarioResult& result = out.result;
  AccountPool::Use use;
  {
    play::PlayOptions options = play_options(setup, job.copy);
    options.admin = admin.get();
    const auto* seen = pool.seen_empty(*lease);
    if (before == nullptr && seen != nullptr && network->now() - seen->at < kSeenIsOld) options.seen_empty = seen;
    if (before != nullptr) options.earlier = before->early_end;
    if (before != nullptr && before->early_end->code == history::kSilent) options.patience *= kMorePatience;
    if (setup.rules != nullptr) options.keep_bytes = setup.rules->protocols();
    bool waiting = false;
    // Simulated time costs nothing; and nobody plays beside who is alone with the server.
    if (setup.waits && !sim && !alone.owns_lock())
      options.only_waits = [&](bool begins) { setup.waits(waiting = begins); };
    play::Player player(scenario, *setup.target, lease->accounts, *network, options);
    const auto stream = setup.directory != nullptr ? setup.directory->stream(job.slot, player.history()) : nullptr;
    run_player(*network, player, stream.get());
    if (waiting) setup.waits(false);  // it was interrupted
    try {
      const bool counts = before != nullptr || !player.early_end();  // what is played again is looked at then
      if (setup.rules != nullptr && counts) setup.rules->look(scenario, job.slot, player);
    } catch (...) {
      player.broke(play::what_was_thrown());
    }
    if (stream) stream->end(player.playing_time());
    if (setup.said != nullptr) setup.said->look(player.history(), player.logs());
    if (setup.watch) setup.watch(player.history());
    use.left_empty = player.left_empty();
    result = conclude(setup, job, player.history(), player.playing_time());
    out.early_end = player.early_end();
    if (stream && !stream->trouble().empty()) {
      withhold(result, judge::Verdict::error);
      result.note = archive::not_written(stream->trouble());
    }
    if (setup.directory != nullptr && (!sim || result.verdict != judge::Verdict::pass))
      setup.directory->write_wire(job.slot, scenario.id, player.history(), player.logs());
    if (setup.directory != nullptr && result.verdict != judge::Verdict::pass &&
        result.verdict != judge::Verdict::not_applicable)
      setup.directory->keep_scenario(scenario.id, scenario.path);
    for (const auto& event : player.history().events())
      if (event.what == history::What::baseline) {
        use.begun = true;
      } else if (event.what == history::What::problem) {
        use.trouble = event.text;
        use.usable = use.usable && event.code != "baseline" && event.code != "thrown";
      }
  }
  if (wrong && setup.unreached != nullptr) *setup.unreached = wrong->unreached();
  admin.reset();
  nudged.reset();
  lent.use = std::move(use);
  if (alone.owns_lock()) pool.forget_what_was_seen();  // before its own accounts are given back
  return out;
}

report::ScenarioResult play_to_the_end(const Setup& setup, const Job& job) {
  Played first = play_once(setup, job, nullptr);
  if (!first.early_end || host::interrupted()) return std::move(first.result);
  Played again = play_once(setup, job, &first);
  again.result.seconds += first.result.seconds;
  const bool came_to_nothing =
      again.result.verdict == judge::Verdict::error || again.result.verdict == judge::Verdict::not_applicable;
  if (first.early_end->code != history::kHungUp || !came_to_nothing) return std::move(again.result);
  // What it was asked when it hung up is said all the same: it may be what brought it down.
  first.result.seconds = again.result.seconds;
  first.result.note = fmt::format("played once more: {}", again.result.note.empty() && !again.result.findings.empty()
                                                              ? again.result.findings.front().actual
                                                              : again.result.note);
  return std::move(first.result);
}

}  // namespace

report::ScenarioResult play(const Setup& setup, const Job& job) {
  try {
    return play_to_the_end(setup, job);
  } catch (...) {
    report::ScenarioResult result = broken_off(job.scenario->id, "playing it", play::what_was_thrown());
    result.title = job.scenario->title;
    result.findings.front().reproduce =
        with_copy(setup.command ? setup.command(*job.scenario) : std::string(), job.copy);
    return result;
  }
}

}  // namespace mailproof::run
