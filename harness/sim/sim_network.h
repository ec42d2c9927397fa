#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <unordered_map>
#include <vector>

#include "core/network.h"
#include "core/rng.h"
#include "server/server.h"

namespace mailproof::sim {

class Pipe;

/// Links in memory between our peers and a reference server, under a virtual clock. The same seed and the same calls
/// give the same events in the same order, byte for byte. TLS is a seal: both ends must ask for it; there is no
/// cryptography.
class SimNetwork final : public Network {
 public:
  /// Ends a connection from the server's side with RST: what a Peer has no word for.
  using Reset = std::function<void()>;
  struct Options {
    std::uint64_t seed = 1;
    Duration latency = std::chrono::microseconds(200);  ///< least, one way
    Duration jitter = std::chrono::microseconds(800);   ///< drawn on top for each burst of bytes
    std::set<std::uint16_t> tls_ports = {};             ///< where nobody logs in before TLS is up
    Duration service{};  ///< that each burst from a client takes the server, one after the other; 0 = it is at once
    /// Stands, when given, between the server's end of each connection and the world: a wrong server.
    std::function<std::unique_ptr<Peer>(Protocol, std::unique_ptr<Peer>, Reset)> wrap = {};
  };
  /// `server` must outlive the network. Every endpoint leads to it; its TLS mode says how.
  SimNetwork(server::Server& server, Options options);
  ~SimNetwork() override;

  Time now() const override { return now_; }
  std::unique_ptr<Link> open(const Endpoint& endpoint, Peer& peer) override;
  void set_alarm(Alarm& alarm, std::optional<Time> at) override;
  bool run(const std::function<bool()>& done) override;
  bool simulated() const override { return true; }

  /// The server's process ends: every connection is reset. What it stored stays.
  void reset_connections();
  /// The server stands still until then: nothing arrives on either side.
  void stand_still(Time until) { still_until_ = until; }

 private:
  class SimLink;
  class ServerWaker;
  struct Entry {
    Time at;
    std::uint64_t order;  ///< first scheduled, first served
    std::function<void()> act;
    friend bool operator>(const Entry& a, const Entry& b) { return a.at != b.at ? a.at > b.at : a.order > b.order; }
  };
  void schedule(Time at, std::function<void()> act);
  void schedule_server();

  server::Server& server_;
  Options options_;
  Rng rng_;
  Time now_{};
  std::uint64_t order_ = 0;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue_;
  std::unordered_map<Alarm*, std::uint64_t> alarms_;  ///< the generation that is pending; lookups only, never iterated
  std::uint64_t alarm_generation_ = 0;
  std::unique_ptr<ServerWaker> server_waker_;
  std::optional<Time> server_due_;
  std::uint64_t server_generation_ = 0;
  std::vector<std::weak_ptr<Pipe>> pipes_;
  Time still_until_{};
  Time busy_until_{};  ///< Options::service
};

}  // namespace mailproof::sim
