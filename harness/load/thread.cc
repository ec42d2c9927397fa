#include "load/thread.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "archive/jsonl.h"
#include "core/rng.h"
#include "host/admin.h"
#include "host/signals.h"
#include "load/level.h"
#include "load/thread_cpu.h"
#include "sim/sim_network.h"

namespace mailproof::load {

/// The network of a thread, and who administers what is on its other side.
struct LoadThread::World {
  std::unique_ptr<server::Server> server;
  std::unique_ptr<Network> network;
  net::Loop* loop = nullptr;  ///< the network, if it has real sockets
  std::optional<host::Nudged> nudged;
  std::optional<Watch::Nudged> watched;
  std::unique_ptr<Admin> admin;
};

LoadThread::LoadThread(const run::Setup& setup, std::vector<LoadPart> parts, Duration bound, std::string reproduce,
                       StartLine& line, Watch* watch, unsigned number, std::optional<PlanPart> plan, Keep keep)
    : setup_(setup),
      parts_(std::move(parts)),
      bound_(bound),
      reproduce_(std::move(reproduce)),
      line_(line),
      plan_(std::move(plan)),
      keep_(keep),
      watch_(watch),
      number_(number) {}

std::optional<Time> StartLine::arrive(Time now, const std::function<bool()>& gave_up) {
  std::unique_lock lock(mutex_);
  last_ = std::max(last_, now);
  if (missing_ > 0 && --missing_ == 0 && !left_) zero_ = at_.value_or(last_);
  changed_.notify_all();
  while (!zero_ && !left_ && !gave_up()) changed_.wait_for(lock, std::chrono::milliseconds(50));
  return left_ ? std::nullopt : zero_;
}

void StartLine::leave() {
  const std::lock_guard lock(mutex_);
  left_ = !zero_;
  changed_.notify_all();
}

std::optional<Time> StartLine::zero() const {
  const std::lock_guard lock(mutex_);
  return zero_;
}

void StartLine::abort(const std::string& why) {
  const std::lock_guard lock(mutex_);
  if (aborted_.empty()) aborted_ = why;
  has_aborted_ = true;
}

std::string StartLine::aborted() const {
  if (!has_aborted_) return {};
  const std::lock_guard lock(mutex_);
  return aborted_;
}

Duration StartLine::late() const {
  const std::lock_guard lock(mutex_);
  return zero_ && at_ ? std::max(Duration::zero(), last_ - *at_) : Duration::zero();
}

void LoadThread::make_world(World& world) const {
  if (!setup_.settings.simulated) {
    auto loop = std::make_unique<net::Loop>(run::loop_options(setup_));
    world.loop = loop.get();
    world.nudged.emplace(*loop);
    if (watch_ != nullptr) world.watched.emplace(*watch_, [raw = loop.get()] { raw->nudge(); });
    world.admin = run::make_admin(setup_, *loop);
    world.network = std::move(loop);
    return;
  }
  std::string ids;
  std::vector<scenario::PoolAccount> accounts;
  for (const auto& part : parts_) {
    ids += fmt::format("{}{}", ids.empty() ? "" : " ", part.story->id);
    for (const auto& slot : part.slots) accounts.insert(accounts.end(), slot.begin(), slot.end());
  }
  if (plan_) {
    ids += fmt::format("{}{}", ids.empty() ? "" : " ", plan_->plan->name);
    accounts.insert(accounts.end(), plan_->accounts.begin(), plan_->accounts.end());
    if (plan_->sender) accounts.push_back(*plan_->sender);
  }
  host::BuiltinOptions builtin = *setup_.settings.simulated;
  builtin.seed = derive_seed(setup_.settings.seed, ids);
  world.server = std::make_unique<server::Server>(host::builtin_server(builtin, accounts));
  sim::SimNetwork::Options options;
  options.seed = builtin.seed;
  options.tls_ports = {host::kSimImapTls, host::kSimPop3Tls, host::kSimSmtpTls};
  // Every thread has a server of its own; together they are as quick as the one that was asked for.
  options.service = builtin.service * (plan_ ? plan_->jobs : 1U);
  auto in_memory = std::make_unique<sim::SimNetwork>(*world.server, options);
  world.admin = host::make_sim_admin(*world.server, *in_memory);
  world.network = std::move(in_memory);
}

Harvest LoadThread::play() {
  try {
    World world;
    make_world(world);
    play_in(world);
    shards_.clear();
    customers_.reset();
  } catch (...) {
    line_.leave();
    harvest_.wrong = fmt::format("a generator thread broke off, and its copies are not counted: {} was thrown",
                                 play::what_was_thrown());
    shards_.clear();
    customers_.reset();
  }
  return std::move(harvest_);
}

void LoadThread::play_in(World& world) {
  Network& network = *world.network;
  harvest_.stories.resize(parts_.size());
  start_judging();
  play::PlayOptions options = run::play_options(setup_, 0);
  options.admin = world.admin.get();
  for (std::size_t n = 0; n < parts_.size(); ++n) {
    LoadPart& part = parts_[n];
    shards_.push_back(std::make_unique<LoadShard>(*part.story, *setup_.target, std::move(part.slots), network, options,
                                                  part.arrivals, part.row));
    shards_.back()->on_copy = [this, n](std::unique_ptr<play::Player> player, std::uint32_t copy) {
      if (!judging_->take(n, copy, std::move(player))) ++harvest_.unjudged;
    };
  }
  if (plan_) {
    PlanPart part = std::move(*plan_);
    plan_ = PlanPart{part.plan, part.job, part.jobs, {}, {}, part.settings};
    part.settings.salted_passwords = options.salted_passwords;
    customers_ = std::make_unique<Customers>(network, *setup_.target, std::move(part));
  }
  if (!check(network)) return line_.leave();
  const double cpu = cpu_of_this_thread();
  run(network, world.loop);
  judging_->finish();
  count_judged();
  told_ = {};  // the last look is one at all that was judged
  tell(network.now(), false);
  // A thread that had nothing to play was over at once: what it needed is part of no time.
  const bool any = customers_ != nullptr || std::any_of(shards_.begin(), shards_.end(),
                                                        [](const auto& shard) { return shard->progress().begun != 0; });
  const bool played = any && ran_ > Duration::zero();
  if (world.loop != nullptr && played) {
    const double ran = std::max(in_seconds(ran_), 1e-9);
    harvest_.generator.judging = judging_->cpu_seconds() / ran;
    harvest_.generator.cpu = (cpu_of_this_thread() - cpu) / ran;
    harvest_.generator.cpu_peak = cpu_watch_.peak();
    harvest_.generator.busy = cpu_watch_.busy();
    harvest_.generator.worst_timer = world.loop->load().worst_lateness;
  }
  for (std::size_t n = 0; n < shards_.size(); ++n) {
    shards_[n]->settle();
    harvest_.generator.lateness.merge(shards_[n]->own_lateness());
    harvest_.stories[n].operations.merge(shards_[n]->operations());
    harvest_.stories[n].audit.merge(shards_[n]->audit());
    harvest_.stories[n].samples.merge(shards_[n]->samples());
    harvest_.stories[n].unserved += shards_[n]->unserved();
    harvest_.stories[n].held_back += shards_[n]->held_back();
    if (shards_[n]->closed_loop()) continue;  // of slots, which its users do not wait for
    harvest_.held += shards_[n]->held();
    harvest_.answering += shards_[n]->answering();
  }
  if (customers_ == nullptr) return;
  Scene& scene = customers_->scene();
  harvest_.generator.lateness.merge(scene.lateness);
  harvest_.seconds = customers_->seconds();
  harvest_.plan.most_connections = scene.most_connections;
  harvest_.plan.aborted = customers_->aborted();
  harvest_.plan.examples = scene.examples;
  harvest_.plan.lay_before = customers_->lay_before();
  harvest_.plan.most_before = customers_->most_before();
  harvest_.plan.login_delay = scene.login_delay;
  harvest_.plan.put_off = scene.put_off;
  audit(network);
  StoryTotals& totals = harvest_.stories.emplace_back();
  totals.samples.merge(scene.samples);
  customers_->harvest(totals, harvest_.findings, reproduce_);
  keep_lost();
  for (auto& [id, tally] : harvest_.findings) {
    if (!id.starts_with(plan_->plan->name + "/")) continue;
    judge::Severity& severity = tally.first.severity;
    if (severity == judge::Severity::latitude && setup_.settings.strict) severity = judge::Severity::fail;
    harvest_.seen.push_back(severity == judge::Severity::fail       ? judge::Verdict::fail
                            : severity == judge::Severity::latitude ? judge::Verdict::latitude
                                                                    : judge::Verdict::inconclusive);
  }
  harvest_.seen.push_back(judge::Verdict::pass);
}

/// Every so often what is known is written down: a run that is killed tells as much. A line, so that nobody waits for
/// it.
void LoadThread::keep_so_far(Time now) {
  constexpr Duration kEvery = std::chrono::seconds(5);
  if (customers_ == nullptr || now - std::max(kept_, began_) < kEvery) return;
  kept_ = now;
  judging_->append(fmt::format("progress-{}.jsonl", number_), customers_->so_far());
}

/// Of each lost message what its sessions said last, and a story that tries the same alone.
void LoadThread::keep_lost() {
  constexpr std::size_t kMostLost = 20;
  const auto lost = customers_->lost_messages(kMostLost);
  if (lost.empty()) return;
  const auto found = harvest_.findings.find(plan_->plan->name + "/ledger/lost");
  const std::string folder = setup_.directory->file("lost");
  std::error_code error;
  if (keep_ != Keep::none) std::filesystem::create_directories(folder, error);
  for (const auto& one : lost) {
    if (keep_ == Keep::none) break;
    const std::string base = fmt::format("{}/message-{}", folder, one.number);
    for (const auto& [path, text] : {std::pair(base + ".log", one.log), std::pair(base + ".yaml", one.story)})
      if (const auto wrong = archive::write_file(path, text); !wrong.empty()) setup_.directory->failed(wrong);
  }
  if (found == harvest_.findings.end()) return;
  judge::Finding& finding = found->second.first;
  std::istringstream lines(lost.front().log);
  for (std::string line; std::getline(lines, line);)
    if (!line.empty()) finding.evidence.push_back(line);
  if (keep_ != Keep::none)
    finding.evidence.push_back(fmt::format("alone: mailproof run {}/message-{}.yaml", folder, lost.front().number));
}

/// Out of the measured time: what was sent is looked for.
void LoadThread::audit(Network& network) {
  bool looked = false;
  customers_->audit([&] { looked = true; });
  if (!looked && !network.run([&] { return looked || host::interrupted(); }))
    harvest_.wrong = "nothing could happen any more though not every account was looked into";
}

/// Story after story, so that no more sessions are open at a time than each allows itself.
bool LoadThread::check(Network& network) {
  for (const auto& shard : shards_) {
    bool checked = false;
    shard->preflight([&](std::string wrong) {
      harvest_.wrong = std::move(wrong);
      checked = true;
    });
    network.run([&] {
      tell(network.now(), true);
      return checked || host::interrupted();
    });
    if (!harvest_.wrong.empty() || host::interrupted()) return false;
  }
  if (customers_ == nullptr) return true;
  bool checked = false;
  customers_->check([&](std::string wrong) {
    harvest_.wrong = std::move(wrong);
    checked = true;
  });
  network.run([&] {
    tell(network.now(), true);
    return checked || host::interrupted();
  });
  return harvest_.wrong.empty() && !host::interrupted();
}

void LoadThread::run(Network& network, net::Loop* loop) {
  // In simulation every thread has a world and a clock of its own.
  const auto zero = loop == nullptr ? std::optional(network.now()) : line_.arrive(network.now(), &host::interrupted);
  if (!zero) return;
  const Time began = began_ = *zero;
  if (plan_)
    for (const auto& shard : shards_) shard->measure({plan_->plan->measured().first, plan_->plan->measured().second});
  for (const auto& shard : shards_) shard->start(began);
  if (customers_ != nullptr) customers_->start(began);
  Time last_look = network.now();
  Duration looking{};  // what follows here lies between two looks at the sockets as well
  const bool over = network.run([&] {
    const Time now = network.now();
    if (loop != nullptr) {
      const Duration passed = now - last_look, work = std::min(passed, looking + loop->load().last_turn);
      harvest_.generator.turn(work, passed - work);
      last_look = now;
    }
    if (loop != nullptr) cpu_watch_.look(now);
    bool done = true;
    for (std::size_t n = 0; n < shards_.size(); ++n) {
      // Users end by themselves: who was ready before the end plays, however late.
      if (!shards_[n]->closed_loop() && now - began > bound_ + parts_[n].arrivals.offset && !shards_[n]->done())
        shards_[n]->end();
      done = done && shards_[n]->done();
    }
    done = done && (customers_ == nullptr || customers_->gone());
    end_together(loop != nullptr);
    tell(now, false);
    keep_so_far(now);
    looking = network.now() - now;
    return done || host::interrupted();
  });
  if (host::interrupted())
    interrupt_all();
  else if (!over)
    harvest_.wrong = "nothing could happen any more though copies were not over";
  // What looks for the mail afterwards is no part of the load, and one copy of which it looks long is no time in which
  // the others did nothing.
  Time last = host::interrupted() ? network.now() : began;
  for (const auto& shard : shards_) last = std::max(last, shard->steps_over());
  harvest_.seconds = in_seconds(last - began);
  ran_ = std::max(Duration::zero(), network.now() - began);
}

/// What one thread ends the load for (abort_when) ends it for all of them, and for the stories beside. In simulation
/// each has a world and a clock of its own.
void LoadThread::end_together(bool one_clock) {
  std::string why = customers_ != nullptr ? customers_->aborted() : "";
  if (one_clock && !why.empty()) line_.abort(why);
  if (one_clock && why.empty()) why = line_.aborted();
  if (why.empty()) return;
  if (customers_ != nullptr) customers_->abort(why);
  for (const auto& shard : shards_)
    if (!shard->done()) shard->close();
}

void LoadThread::interrupt_all() {
  for (const auto& shard : shards_) shard->interrupt();
  if (customers_ != nullptr) customers_->interrupt();
}

/// Once a second at most: whoever watches nudges the loop, so that it is told though nothing else happens.
void LoadThread::tell(Time now, bool preparing) {
  if (watch_ == nullptr || now - told_ < std::chrono::milliseconds(900)) return;
  told_ = now;
  count_judged();
  Seen seen;
  seen.preparing = preparing;
  seen.passed = preparing ? Duration::zero() : std::max(Duration::zero(), now - began_);
  for (std::size_t n = 0; n < shards_.size(); ++n) {
    const auto one = shards_[n]->progress();
    seen.progress.due += one.due;
    seen.progress.begun += one.begun;
    seen.progress.running += one.running;
    seen.progress.waiting += one.waiting;
    seen.progress.over += one.over;
    seen.progress.prepared += one.prepared;
    seen.progress.slots += one.slots;
    if (preparing) continue;
    seen.totals.operations.merge(shards_[n]->operations(), watch_->with_slices());
    seen.add_recent(shards_[n]->operations());
    seen.totals.ledger.merge(harvest_.stories[n].ledger);
    for (const auto& [verdict, count] : harvest_.stories[n].verdicts) seen.totals.verdicts[verdict] += count;
    seen.generator.lateness.merge(shards_[n]->own_lateness());
  }
  if (customers_ != nullptr) {
    const auto one = customers_->progress();
    seen.progress.due += one.due;
    seen.progress.begun += one.due - static_cast<std::uint32_t>(one.waiting);
    seen.progress.running += one.there;
    seen.progress.waiting += one.waiting;
    seen.progress.prepared += one.prepared;
    seen.progress.slots += one.accounts;
    seen.of_accounts = shards_.empty();
    if (!preparing) {
      seen.totals.operations.merge(customers_->scene().operations, watch_->with_slices());
      seen.add_recent(customers_->scene().operations);
      seen.totals.ledger.merge(customers_->ledger_so_far());
    }
  }
  watch_->tell(number_, std::move(seen));
}

void LoadThread::start_judging() {
  Judging::Settings settings;
  for (const auto& part : parts_) settings.stories.push_back(part.story);
  settings.keep = keep_;
  settings.strict = setup_.settings.strict;
  settings.waits = setup_.settings.simulated.has_value();
  settings.directory = setup_.directory;
  judging_ = std::make_unique<Judging>(std::move(settings));
}

/// Adds up what was judged meanwhile.
void LoadThread::count_judged() {
  for (Judging::Judged& one : judging_->collect()) {
    StoryTotals& totals = harvest_.stories[one.story];
    totals.ledger.merge(one.ledger);
    ++totals.verdicts[std::string(name(one.verdict))];
    harvest_.seen.push_back(one.verdict);
    for (auto& finding : one.findings) {
      Tally& tally = harvest_.findings[finding.id];
      for (const auto& message : finding.messages)
        if (tally.messages.size() < kMostNamed)
          tally.messages.push_back(fmt::format("copy {}: {} of {}", one.copy, message, one.login));
      if (tally.times++ != 0) continue;
      tally.first = std::move(finding);
      tally.first.reproduce = reproduce_;
    }
  }
}

}  // namespace mailproof::load
