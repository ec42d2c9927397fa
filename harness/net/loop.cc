#include "net/loop.h"

#include <boost/asio/post.hpp>
#include <map>
#include <unordered_map>

#include "net/connection.h"
#include "net/reactor.h"
#include "net/resolver.h"

namespace mailproof::net {
namespace {

class SocketLink final : public Link {
 public:
  SocketLink(Reactor& reactor, TlsSessions& sessions, std::unique_ptr<Connection> connection)
      : reactor_(reactor), sessions_(sessions), connection_(std::move(connection)) {}
  ~SocketLink() override {
    connection_->abandon();
    reactor_.bury(std::move(connection_));
  }
  void misbehave(const LinkFaults& faults) override { connection_->misbehave(faults); }
  void drop(bool with_reset) override { connection_->drop(with_reset); }
  void resume_as(std::uint64_t client) override { connection_->resume_as(sessions_, client); }

 private:
  Reactor& reactor_;
  TlsSessions& sessions_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace

struct Loop::Inside {
  explicit Inside(std::chrono::steady_clock::time_point start) : reactor(start), resolver(reactor.context()) {}
  std::shared_ptr<const Route> route(const Endpoint& endpoint);
  void set_alarm(Alarm& alarm, std::optional<Time> at);

  struct Ringer final : Timer {
    Inside* inside = nullptr;
    Alarm* alarm = nullptr;
    void fire(Time now) override;
  };
  using Ringers = std::unordered_map<Alarm*, Ringer>;
  void retire(Ringers::iterator ringer);

  Reactor reactor;
  Resolver resolver;
  std::optional<Result<std::shared_ptr<TlsContext>>> tls;
  std::map<std::string, std::shared_ptr<const Route>, std::less<>> routes;
  TlsSessions sessions;
  Ringers ringers;
  std::vector<Ringers::node_type> spare;  // so that setting and clearing alarms allocates nothing in steady state
};

Loop::Loop(LoopOptions options)
    : options_(std::move(options)),
      inside_(std::make_unique<Inside>(options_.start.value_or(std::chrono::steady_clock::now()))) {}

// A peer may take its alarm back when it goes, which it can as long as the loop is whole.
Loop::~Loop() { inside_->reactor.lay_to_rest(); }

Time Loop::now() const { return inside_->reactor.now(); }
Reactor& Loop::reactor() { return inside_->reactor; }
const LoopLoad& Loop::load() const { return inside_->reactor.load(); }
void Loop::post(std::function<void()> task) { asio::post(inside_->reactor.context(), std::move(task)); }
void Loop::nudge() {
  asio::post(inside_->reactor.context(), [] {});
}

bool Loop::run(const std::function<bool()>& done) {
  while (!done())
    if (!inside_->reactor.turn()) return false;
  return true;
}

Result<std::vector<std::string>> Loop::resolve(const std::string& host) {
  const auto& found = inside_->resolver.resolve(host);
  if (!found) return found.error();
  std::vector<std::string> hosts;
  for (const auto& address : *found) hosts.push_back(address.to_string());
  return hosts;
}

std::shared_ptr<const Route> Loop::Inside::route(const Endpoint& endpoint) {
  const std::string key = endpoint.host + ' ' + std::to_string(endpoint.port) + ' ' + endpoint.source + ' ' +
                          endpoint.tls_max + ' ' + std::string(name(endpoint.tls));
  if (const auto known = routes.find(key); known != routes.end()) return known->second;

  auto made = std::make_shared<Route>();
  made->host = endpoint.host;
  made->tls = endpoint.tls;
  if (!endpoint.source.empty()) {
    boost::system::error_code error;
    made->source = asio::ip::make_address(endpoint.source, error);
    if (error) made->trouble = "source address \"" + endpoint.source + "\" is not an IP address";
  }
  const auto& found = resolver.resolve(endpoint.host);
  if (!found) made->trouble = found.error().why;
  if (made->trouble.empty()) {
    for (const auto& address : *found)
      if (!made->source || made->source->is_v6() == address.is_v6())
        made->addresses.emplace_back(address, endpoint.port);
    if (made->addresses.empty()) made->trouble = "no address of this host can be reached from " + endpoint.source;
  }
  made->tls_max = endpoint.tls_max;
  routes.emplace(key, made);
  return made;
}

std::unique_ptr<Link> Loop::open(const Endpoint& endpoint, Peer& peer) {
  std::shared_ptr<const Route> way = inside_->route(endpoint);
  std::shared_ptr<TlsContext> context;
  if (endpoint.tls != TlsMode::none) {
    if (!inside_->tls) inside_->tls = TlsContext::client(options_.tls);
    if (const auto& made = *inside_->tls) {
      context = *made;
    } else {
      auto blocked = std::make_shared<Route>(*way);
      blocked->trouble = made.error().message();
      way = std::move(blocked);
    }
  }
  const Limits limits{.connect = options_.connect_timeout, .tls = options_.tls_timeout};
  return std::make_unique<SocketLink>(
      reactor(), inside_->sessions,
      std::make_unique<Connection>(reactor(), std::move(way), std::move(context), limits, peer));
}

void Loop::Inside::Ringer::fire(Time now) {
  Alarm& rings = *alarm;
  inside->retire(inside->ringers.find(alarm));
  rings.ring(now);
}

void Loop::Inside::retire(Ringers::iterator ringer) {
  ringer->second.clear();
  spare.push_back(ringers.extract(ringer));
}

void Loop::set_alarm(Alarm& alarm, std::optional<Time> at) { inside_->set_alarm(alarm, at); }

void Loop::Inside::set_alarm(Alarm& alarm, std::optional<Time> at) {
  auto known = ringers.find(&alarm);
  if (!at) {
    if (known != ringers.end()) retire(known);
    return;
  }
  if (known == ringers.end()) {
    if (spare.empty()) {
      known = ringers.try_emplace(&alarm).first;
    } else {
      auto node = std::move(spare.back());
      spare.pop_back();
      node.key() = &alarm;
      known = ringers.insert(std::move(node)).position;
    }
    known->second.inside = this;
    known->second.alarm = &alarm;
  }
  reactor.set_timer(known->second, *at);
}

bool is_loopback(const std::string& host) {
  boost::system::error_code error;
  const auto address = asio::ip::make_address(host, error);
  return host == "localhost" || (!error && address.is_loopback());
}

}  // namespace mailproof::net
