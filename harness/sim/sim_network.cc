#include "sim/sim_network.h"

#include <algorithm>
#include <utility>

#include "sim/connection.h"

namespace mailproof::sim {

/// Our end of a connection as play holds it. The connection itself lives on until its last event has passed.
class SimNetwork::SimLink final : public Link {
 public:
  explicit SimLink(std::shared_ptr<sim::Connection> connection) : connection_(std::move(connection)) {}
  ~SimLink() override { connection_->abandon(); }
  void misbehave(const LinkFaults& faults) override { connection_->misbehave(faults); }
  void drop(bool with_reset) override { connection_->drop(with_reset); }

 private:
  std::shared_ptr<sim::Connection> connection_;
};

class SimNetwork::ServerWaker final : public Waker {
 public:
  explicit ServerWaker(SimNetwork& network) : network_(network) {}
  void wake() override { network_.schedule_server(); }

 private:
  SimNetwork& network_;
};

SimNetwork::SimNetwork(server::Server& server, Options options)
    : server_(server),
      options_(std::move(options)),
      rng_(derive_seed(options_.seed, "sim-network")),
      server_waker_(std::make_unique<ServerWaker>(*this)) {
  server_.attach(server_waker_.get());
  schedule_server();
}

SimNetwork::~SimNetwork() {
  server_.attach(nullptr);
  while (!queue_.empty()) queue_.pop();  // connections that are still referred to go now, while the network stands
}

void SimNetwork::schedule(Time at, std::function<void()> act) {
  queue_.push({std::max(at, now_), order_++, std::move(act)});
}

void SimNetwork::schedule_server() {
  const auto due = server_.deadline();
  if (due == server_due_) return;
  server_due_ = due;
  const std::uint64_t generation = ++server_generation_;
  if (!due) return;
  schedule(*due, [this, generation] {
    if (generation != server_generation_) return;
    server_due_.reset();
    server_.advance(now_);
    schedule_server();
  });
}

std::unique_ptr<Link> SimNetwork::open(const Endpoint& endpoint, Peer& peer) {
  auto accepted =
      server_.accept(endpoint.protocol, endpoint.tls == TlsMode::implicit, options_.tls_ports.contains(endpoint.port));
  const auto made = std::make_shared<std::weak_ptr<sim::Connection>>();
  const auto reset = [made] {
    if (const auto connection = made->lock()) connection->server_dies();
  };
  if (options_.wrap) accepted = options_.wrap(endpoint.protocol, std::move(accepted), reset);
  auto connection = std::make_shared<sim::Connection>(
      peer, std::move(accepted),
      sim::Connection::World{
          [this] { return now_; }, [this](Time at, std::function<void()> act) { schedule(at, std::move(act)); },
          [this] {
            const auto jitter = static_cast<std::uint32_t>(std::min<std::int64_t>(options_.jitter.count(), 0x7fffffff));
            const Duration wait = std::max(still_until_ - now_, Duration{});
            return wait + options_.latency + Duration(jitter == 0 ? 0 : rng_.below(jitter));
          }});
  *made = connection;
  connection->start(endpoint.tls == TlsMode::implicit);
  if (connections_.size() == connections_.capacity())
    std::erase_if(connections_, [](const auto& known) { return known.expired(); });
  connections_.push_back(connection);
  return std::make_unique<SimLink>(std::move(connection));
}

void SimNetwork::reset_connections() {
  const auto all = std::exchange(connections_, {});
  for (const auto& known : all)
    if (const auto connection = known.lock()) connection->server_dies();
}

void SimNetwork::set_alarm(Alarm& alarm, std::optional<Time> at) {
  if (!at) {
    alarms_.erase(&alarm);
    return;
  }
  const std::uint64_t generation = ++alarm_generation_;
  alarms_[&alarm] = generation;
  schedule(*at, [this, &alarm, generation] {
    const auto pending = alarms_.find(&alarm);
    if (pending == alarms_.end() || pending->second != generation) return;  // moved or cleared
    alarms_.erase(pending);
    alarm.ring(now_);
  });
}

bool SimNetwork::run(const std::function<bool()>& done) {
  while (!done()) {
    if (queue_.empty()) return false;
    // priority_queue only shows a const top; the entry is popped at once, so moving out of it is safe.
    Entry entry = std::move(const_cast<Entry&>(queue_.top()));
    queue_.pop();
    now_ = entry.at;
    entry.act();
  }
  return true;
}

}  // namespace mailproof::sim
