#include "net/loop.h"

#include "net/connection.h"

namespace mailproof::net {
namespace {

class SocketLink final : public Link {
 public:
  SocketLink(Reactor& reactor, std::unique_ptr<Connection> connection)
      : reactor_(reactor), connection_(std::move(connection)) {}
  ~SocketLink() override {
    connection_->abandon();
    reactor_.bury(std::move(connection_));
  }
  void misbehave(const LinkFaults& faults) override { connection_->misbehave(faults); }
  void drop(bool with_reset) override { connection_->drop(with_reset); }

 private:
  Reactor& reactor_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace

Loop::Loop(LoopOptions options)
    : options_(std::move(options)), reactor_(options_.start.value_or(std::chrono::steady_clock::now())) {}

Loop::~Loop() = default;

Result<std::shared_ptr<TlsContext>> Loop::tls_context() {
  if (!tls_) tls_ = TlsContext::client(options_.tls);
  return *tls_;
}

Result<std::vector<std::string>> Loop::resolve(const std::string& host) {
  const auto& found = resolver_.resolve(host);
  if (!found) return found.error();
  std::vector<std::string> hosts;
  for (const Address& address : *found) hosts.push_back(address.host());
  return hosts;
}

std::shared_ptr<const Route> Loop::route(const Endpoint& endpoint) {
  const std::string key = endpoint.host + ' ' + std::to_string(endpoint.port) + ' ' + endpoint.source + ' ' +
                          endpoint.tls_max + ' ' + std::string(name(endpoint.tls));
  if (const auto known = routes_.find(key); known != routes_.end()) return known->second;

  auto made = std::make_shared<Route>();
  made->host = endpoint.host;
  made->tls = endpoint.tls;
  if (!endpoint.source.empty()) {
    made->source = parse_address(endpoint.source);
    if (!made->source) made->trouble = "source address \"" + endpoint.source + "\" is not an IP address";
  }
  const auto& found = resolver_.resolve(endpoint.host);
  if (!found) made->trouble = found.error().why;
  if (made->trouble.empty()) {
    for (const Address& address : *found)
      if (!made->source || made->source->family() == address.family())
        made->addresses.push_back(address.with_port(endpoint.port));
    if (made->addresses.empty()) made->trouble = "no address of this host can be reached from " + endpoint.source;
  }
  made->tls_max = endpoint.tls_max;
  routes_.emplace(key, made);
  return made;
}

std::unique_ptr<Link> Loop::open(const Endpoint& endpoint, Peer& peer) {
  std::shared_ptr<const Route> way = route(endpoint);
  std::shared_ptr<TlsContext> context;
  if (endpoint.tls != TlsMode::none) {
    if (auto made = tls_context()) {
      context = *made;
    } else {
      auto blocked = std::make_shared<Route>(*way);
      blocked->addresses.clear();
      blocked->trouble = made.error().message();
      way = std::move(blocked);
    }
  }
  const Limits limits{.connect = options_.connect_timeout, .tls = options_.tls_timeout};
  return std::make_unique<SocketLink>(
      reactor_, std::make_unique<Connection>(reactor_, std::move(way), std::move(context), limits, peer));
}

void Loop::Ringer::fire(Time now) {
  Alarm& rings = *alarm;
  loop->retire(loop->ringers_.find(alarm));
  rings.ring(now);
}

void Loop::retire(Ringers::iterator ringer) {
  reactor_.clear_timer(ringer->second);
  spare_.push_back(ringers_.extract(ringer));
}

void Loop::set_alarm(Alarm& alarm, std::optional<Time> at) {
  auto known = ringers_.find(&alarm);
  if (!at) {
    if (known != ringers_.end()) retire(known);
    return;
  }
  if (known == ringers_.end()) {
    if (spare_.empty()) {
      known = ringers_.try_emplace(&alarm).first;
    } else {
      auto node = std::move(spare_.back());
      spare_.pop_back();
      node.key() = &alarm;
      known = ringers_.insert(std::move(node)).position;
    }
    known->second.loop = this;
    known->second.alarm = &alarm;
  }
  reactor_.set_timer(known->second, *at);
}

bool Loop::run(const std::function<bool()>& done) {
  while (!done()) {
    if (reactor_.idle()) return false;
    reactor_.turn();
  }
  return true;
}

}  // namespace mailproof::net
