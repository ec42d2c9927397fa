#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/network.h"
#include "core/result.h"
#include "net/tls.h"

namespace mailproof::net {

class Reactor;

struct LoopOptions {
  TlsOptions tls;
  Duration connect_timeout = 10s;  ///< for all addresses of a host together
  Duration tls_timeout = 10s;      ///< for one handshake
  /// Time zero of the run, the same for all its loops; without it, the moment the loop was made.
  std::optional<std::chrono::steady_clock::time_point> start;
};

/// How late a loop was; the generator judges itself by it.
struct LoopLoad {
  Duration worst_lateness{};  ///< the longest a timer fired after its time
  Duration last_turn{};  ///< the work of the last batch of events: what came meanwhile was read so much late at most
};

/// Real sockets. One thread each: everything but post() and nudge() belongs to the thread that calls run().
/// Links, listeners and armed alarms must be gone before the loop.
class Loop final : public Network {
 public:
  explicit Loop(LoopOptions options = {});
  ~Loop() override;

  Time now() const override;
  std::unique_ptr<Link> open(const Endpoint& endpoint, Peer& peer) override;
  void set_alarm(Alarm& alarm, std::optional<Time> at) override;
  /// done() is asked after every batch of events.
  bool run(const std::function<bool()>& done) override;
  bool simulated() const override { return false; }

  /// Looks a host up and pins the answer, so that open() need not; may block. The addresses, or why there are none.
  Result<std::vector<std::string>> resolve(const std::string& host);

  void post(std::function<void()> task);  ///< any thread; runs inside run()
  void nudge();                           ///< any thread, no signal handler: run() asks done() again

  const LoopLoad& load() const;
  const LoopOptions& options() const { return options_; }
  Reactor& reactor();

 private:
  struct Inside;
  LoopOptions options_;
  std::unique_ptr<Inside> inside_;
};

/// Whether that is this machine by number or by name: 127.0.0.1 and its like, ::1, localhost. Asks nobody.
bool is_loopback(const std::string& host);

}  // namespace mailproof::net
