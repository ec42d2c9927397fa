#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/network.h"
#include "core/result.h"
#include "net/reactor.h"
#include "net/tls.h"

namespace mailproof::net {

struct Route;

struct LoopOptions {
  TlsOptions tls;
  Duration connect_timeout = 10s;  ///< for all addresses of a host together
  Duration tls_timeout = 10s;      ///< for one handshake
  /// Time zero of the run, the same for all its loops; without it, the moment the loop was made.
  std::optional<std::chrono::steady_clock::time_point> start;
};

/// Real sockets. One thread each: everything but post() and nudge() belongs to the thread that calls run().
/// Links, listeners and armed alarms must be gone before the loop.
class Loop final : public Network {
 public:
  explicit Loop(LoopOptions options = {});
  ~Loop() override;

  Time now() const override { return reactor_.now(); }
  std::unique_ptr<Link> open(const Endpoint& endpoint, Peer& peer) override;
  void set_alarm(Alarm& alarm, std::optional<Time> at) override;
  /// done() is asked after every batch of events.
  bool run(const std::function<bool()>& done) override;
  bool simulated() const override { return false; }

  /// Looks a host up and pins the answer, so that open() need not; may block. The addresses, or why there are none.
  Result<std::vector<std::string>> resolve(const std::string& host);

  void post(std::function<void()> task) { reactor_.post(std::move(task)); }  ///< any thread; runs inside run()
  void nudge() noexcept { reactor_.nudge(); }  ///< any thread or signal handler: run() asks done() again

  const LoopLoad& load() const { return reactor_.load(); }
  const LoopOptions& options() const { return options_; }
  Reactor& reactor() { return reactor_; }

 private:
  struct Ringer final : Timer {
    Loop* loop = nullptr;
    Alarm* alarm = nullptr;
    void fire(Time now) override;
  };
  using Ringers = std::unordered_map<Alarm*, Ringer>;
  void retire(Ringers::iterator ringer);
  std::shared_ptr<const Route> route(const Endpoint& endpoint);
  Result<std::shared_ptr<TlsContext>> tls_context();

  LoopOptions options_;
  Reactor reactor_;
  Resolver resolver_;
  std::optional<Result<std::shared_ptr<TlsContext>>> tls_;
  std::map<std::string, std::shared_ptr<const Route>, std::less<>> routes_;
  Ringers ringers_;
  std::vector<Ringers::node_type> spare_;  // so that setting and clearing alarms allocates nothing in steady state
};

}  // namespace mailproof::net
