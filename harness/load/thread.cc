#include "load/thread.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>

#include "archive/jsonl.h"
#include "core/rng.h"
#include "host/admin.h"
#include "host/signals.h"
#include "sim/sim_network.h"

namespace mailproof::load {
namespace {

// Copies of a story with findings whose histories and byte logs are written out.
constexpr std::size_t kMostDumped = 20;

double thread_cpu() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

/// The network of a thread, and who administers what is on its other side.
struct LoadThread::World {
  std::unique_ptr<server::Server> server;
  std::unique_ptr<Network> network;
  net::Loop* loop = nullptr;  ///< the network, if it has real sockets
  std::optional<host::Nudged> nudged;
  std::unique_ptr<Admin> admin;
};

LoadThread::LoadThread(const run::Setup& setup, std::vector<LoadPart> parts, Duration bound, std::string reproduce,
                       Progress progress, const PlanPart* plan)
    : setup_(setup),
      parts_(std::move(parts)),
      bound_(bound),
      reproduce_(std::move(reproduce)),
      progress_(progress),
      plan_(plan) {}

void LoadThread::make_world(World& world) const {
  if (!setup_.settings.simulated) {
    auto loop = std::make_unique<net::Loop>(run::loop_options(setup_));
    world.loop = loop.get();
    world.nudged.emplace(*loop);
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
  if (plan_ != nullptr) {
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
  play::PlayOptions options = run::play_options(setup_, 0);
  options.admin = world.admin.get();
  for (std::size_t n = 0; n < parts_.size(); ++n) {
    LoadPart& part = parts_[n];
    shards_.push_back(std::make_unique<LoadShard>(*part.story, *setup_.target, std::move(part.slots), network, options,
                                                  part.arrivals, part.row));
    shards_.back()->on_copy = [this, n](play::Player& player, std::uint32_t copy) { take(n, player, copy); };
  }
  PlanPart part;
  if (plan_ != nullptr) {
    part = *plan_;
    part.settings.salted_passwords = options.salted_passwords;
    customers_ = std::make_unique<Customers>(network, *setup_.target, part);
  }
  if (!check(network)) return;
  const double cpu = thread_cpu();
  run(network);
  if (world.loop != nullptr) {
    harvest_.generator.cpu = (thread_cpu() - cpu) / std::max(harvest_.seconds, 1e-9);
    harvest_.generator.worst_timer = world.loop->load().worst_lateness;
  }
  for (std::size_t n = 0; n < shards_.size(); ++n) {
    harvest_.generator.worst_lateness = std::max(harvest_.generator.worst_lateness, shards_[n]->worst_own_lateness());
    harvest_.stories[n].operations.merge(shards_[n]->operations());
    harvest_.stories[n].unserved += shards_[n]->unserved();
    harvest_.held += shards_[n]->held();
    harvest_.answering += shards_[n]->answering();
  }
  if (customers_ == nullptr) return;
  Scene& scene = customers_->scene();
  harvest_.generator.worst_lateness = std::max(harvest_.generator.worst_lateness, scene.worst_lateness);
  harvest_.seconds = customers_->seconds();
  harvest_.plan.most_connections = scene.most_connections;
  harvest_.plan.aborted = customers_->aborted();
  harvest_.plan.examples = scene.examples;
  audit(network);
  StoryTotals& totals = harvest_.stories.emplace_back();
  customers_->harvest(totals, harvest_.findings, reproduce_);
  for (const auto& [id, tally] : harvest_.findings) {
    if (!id.starts_with(plan_->plan->name + "/")) continue;
    const bool latitude = tally.first.severity == judge::Severity::latitude;
    const bool fails = tally.first.severity == judge::Severity::fail || (latitude && setup_.settings.strict);
    harvest_.seen.push_back(fails      ? judge::Verdict::fail
                            : latitude ? judge::Verdict::latitude
                                       : judge::Verdict::inconclusive);
  }
  harvest_.seen.push_back(judge::Verdict::pass);
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
    Time told = network.now();
    network.run([&] {
      if (const Time now = network.now(); due_to_tell(told, now)) {
        const auto so_far = shard->progress();
        write(fmt::format("preparing: {} of {} copies' mailboxes were looked at", so_far.prepared, so_far.slots));
      }
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
  Time told = network.now();
  network.run([&] {
    if (const Time now = network.now(); due_to_tell(told, now)) {
      const auto so_far = customers_->progress();
      write(fmt::format("preparing: {} of {} accounts were looked into", so_far.prepared, so_far.accounts));
    }
    return checked || host::interrupted();
  });
  return harvest_.wrong.empty() && !host::interrupted();
}

void LoadThread::run(Network& network) {
  const Time began = network.now();
  for (const auto& shard : shards_) shard->start();
  if (customers_ != nullptr) customers_->start();
  Time told = began;
  const bool over = network.run([&] {
    const Time now = network.now();
    bool done = true;
    for (std::size_t n = 0; n < shards_.size(); ++n) {
      if (now - began > bound_ + parts_[n].arrivals.offset && !shards_[n]->done()) shards_[n]->close();
      done = done && shards_[n]->done();
    }
    done = done && (customers_ == nullptr || customers_->gone());
    if (due_to_tell(told, now)) tell(now - began);
    return done || host::interrupted();
  });
  if (progress_ == Progress::rewritten) fmt::print(stderr, "\n");
  if (host::interrupted())
    interrupt_all();
  else if (!over)
    harvest_.wrong = "nothing could happen any more though copies were not over";
  harvest_.seconds = std::chrono::duration<double>(network.now() - began).count();
}

void LoadThread::interrupt_all() {
  for (const auto& shard : shards_) shard->interrupt();
  if (customers_ != nullptr) customers_->interrupt();
}

bool LoadThread::due_to_tell(Time& told, Time now) const {
  const auto between = std::chrono::seconds(progress_ == Progress::rewritten ? 1 : 10);
  if (progress_ == Progress::none || now - told < between) return false;
  told = now;
  return true;
}

void LoadThread::write(const std::string& line) const {
  fmt::print(stderr, "{}", progress_ == Progress::rewritten ? fmt::format("\r{:<79}", line) : line + "\n");
  std::fflush(stderr);
}

void LoadThread::tell(Duration passed) const {
  if (customers_ != nullptr) {
    const auto so_far = customers_->progress();
    const auto* deliveries = customers_->scene().operations.find("delivery-to-visible");
    return write(fmt::format("{:>6.0f} s  customers {}  connections {}  deliveries {}, {} wait  visible p99 {:.0f} ms",
                             std::chrono::duration<double>(passed).count(), so_far.there, so_far.connections,
                             so_far.due, so_far.waiting,
                             std::chrono::duration<double, std::milli>(deliveries->response.percentile(99)).count()));
  }
  LoadShard::Progress all;
  stats::Histogram response;
  for (std::size_t n = 0; n < shards_.size(); ++n) {
    const auto one = shards_[n]->progress();
    all.due += one.due;
    all.begun += one.begun;
    all.running += one.running;
    all.over += one.over;
    if (const auto* story = shards_[n]->operations().find(parts_[n].row)) response.merge(story->response);
  }
  const auto seconds = [](Duration d) { return std::chrono::duration<double>(d).count(); };
  write(fmt::format("{:>6.0f} s  due {}  begun {}  running {}  over {}  p50 {:.2f} s  p99 {:.2f} s", seconds(passed),
                    all.due, all.begun, all.running, all.over, seconds(response.percentile(50)),
                    seconds(response.percentile(99))));
}

void LoadThread::take(std::size_t n, play::Player& player, std::uint32_t copy) {
  try {
    count(n, player, copy);
  } catch (...) {
    const std::string& id = parts_[n].story->id;
    const auto result = run::broken_off(id, fmt::format("judging copy {}", copy), play::what_was_thrown());
    ++harvest_.stories[n].verdicts[std::string(name(result.verdict))];
    harvest_.seen.push_back(result.verdict);
    Tally& tally = harvest_.findings[result.findings.front().id];
    if (tally.times++ == 0) {
      tally.first = result.findings.front();
      tally.first.reproduce = reproduce_;
    }
  }
}

void LoadThread::count(std::size_t n, play::Player& player, std::uint32_t copy) {
  const scenario::Scenario& story = *parts_[n].story;
  StoryTotals& totals = harvest_.stories[n];
  const auto judgement = judge::judge(player.history(), setup_.settings.strict);
  totals.ledger.add(player.history(), player.ledger());
  ++totals.verdicts[std::string(name(judgement.verdict))];
  harvest_.seen.push_back(judgement.verdict);
  const auto& accounts = player.history().info.accounts;
  for (const auto& finding : judgement.findings) {
    Tally& tally = harvest_.findings[finding.id];
    if (tally.times++ == 0) {
      tally.first = finding;
      tally.first.reproduce = reproduce_;
    }
    for (const auto& message : finding.messages)
      if (tally.messages.size() < kMostNamed)
        tally.messages.push_back(
            fmt::format("copy {}: {} of {}", copy, message, accounts.empty() ? "" : accounts.front().login));
  }
  if (judgement.findings.empty() || copy >= 1'000'000) return;
  if (totals.ledger.copies - totals.verdicts["pass"] > kMostDumped) return;
  setup_.directory->write_wire(copy, story.id, player.history(), player.logs());
  const std::string wrong =
      archive::write_file(setup_.directory->file(fmt::format("history/{:06}-{}.jsonl", copy, story.id)),
                          archive::write_all(player.history(), player.playing_time()));
  if (!wrong.empty()) setup_.directory->failed(wrong);
}

}  // namespace mailproof::load
