#include "sim/sim_network.h"

#include <algorithm>
#include <utility>

#include "sim/pipe.h"

namespace mailproof::sim {

/// Our end of a connection as play holds it. The connection itself lives on until its last event has passed.
class SimNetwork::SimLink final : public Link {
 public:
  explicit SimLink(std::shared_ptr<sim::Pipe> pipe) : pipe_(std::move(pipe)) {}
  ~SimLink() override { pipe_->abandon(); }
  void misbehave(const LinkFaults& faults) override { pipe_->misbehave(faults); }
  void drop(bool with_reset) override { pipe_->drop(with_reset); }

 private:
  std::shared_ptr<sim::Pipe> pipe_;
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
  const auto made = std::make_shared<std::weak_ptr<sim::Pipe>>();
  const auto reset = [made] {
    if (const auto pipe = made->lock()) pipe->server_dies();
  };
  if (options_.wrap) accepted = options_.wrap(endpoint.protocol, std::move(accepted), reset);
  auto pipe = std::make_shared<sim::Pipe>(
      peer, std::move(accepted),
      sim::Pipe::World{
          [this] { return now_; }, [this](Time at, std::function<void()> act) { schedule(at, std::move(act)); },
          [this] {
            const auto jitter = static_cast<std::uint32_t>(std::min<std::int64_t>(options_.jitter.count(), 0x7fffffff));
            const Duration wait = std::max(still_until_ - now_, Duration{});
            return wait + options_.latency + Duration(jitter == 0 ? 0 : rng_.below(jitter));
          },
          options_.service <= Duration{}
              ? std::function<Time()>()
              : [this] { return busy_until_ = std::max(busy_until_, now_) + options_.service; }});
  *made = pipe;
  pipe->start(endpoint.tls == TlsMode::implicit);
  if (pipes_.size() == pipes_.capacity()) std::erase_if(pipes_, [](const auto& known) { return known.expired(); });
  pipes_.push_back(pipe);
  return std::make_unique<SimLink>(std::move(pipe));
}

void SimNetwork::reset_connections() {
  const auto all = std::exchange(pipes_, {});
  for (const auto& known : all)
    if (const auto pipe = known.lock()) pipe->server_dies();
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
