#pragma once
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "net/listener.h"
#include "net/loop.h"
#include "scenario/target/target.h"
#include "server/server.h"

namespace mailproof::host {

/// Switches of the built-in server and how it is set up, as the command line gives them.
struct BuiltinOptions {
  std::vector<std::string> defects, latitudes;
  std::uint64_t seed = 1;
  std::string password = "pass";
  unsigned users = 1000;  ///< user0001 ... without quota
  unsigned small = 600;   ///< small0001 ... with `small_quota`
  std::uint64_t small_quota = 64 * 1024;
  unsigned customers = 150;  ///< c01 ..., each with four accounts c01box1 ... that share `customer_quota`
  std::uint64_t customer_quota = 128 * 1024;
  Duration service{};  ///< that each burst from a client takes the server, one after the other; 0 = it is at once
};

/// The pool of accounts that the built-in server has: what a target file would say.
std::vector<scenario::PoolAccount> builtin_pool(const BuiltinOptions& options);
/// Server options with exactly these accounts.
server::ServerOptions builtin_server(const BuiltinOptions& options, const std::vector<scenario::PoolAccount>& accounts);
/// Where the server in simulation lets nobody log in before TLS.
inline constexpr std::uint16_t kSimImapTls = 1143, kSimPop3Tls = 1110, kSimSmtpTls = 1025;

/// A target named "sim": all protocols, all TLS modes, delivery by LMTP, SMTP or APPEND.
scenario::Target sim_target(const BuiltinOptions& options);

/// "unknown defect 'x', did you mean 'y'?", or nothing.
std::string check_switches(const BuiltinOptions& options);

/// Where to listen. A port of 0 takes a free one; a protocol that is not `on` is left out.
struct Listen {
  Protocol protocol;
  bool tls = false;
  std::uint16_t port = 0;
  bool needs_tls = false;  ///< nobody logs in before TLS is up
};

/// The built-in server on real sockets, on a loop of its own.
class HostedServer {
 public:
  /// `certificate` and `key` are needed for listeners with TLS and for STARTTLS; empty = no TLS is offered.
  static Result<std::unique_ptr<HostedServer>> start(server::ServerOptions options, const std::string& host,
                                                     const std::vector<Listen>& listen, const std::string& certificate,
                                                     const std::string& key, Duration service = {});
  ~HostedServer();
  const std::vector<Endpoint>& endpoints() const { return endpoints_; }
  /// Serves on the calling thread until `done`, asked now and then.
  void serve(const std::function<bool()>& done) { loop_.run(done); }
  /// Serves on a thread of its own until destroyed.
  void serve_in_background();
  /// While it serves in the background: does this on its thread, and waits for it.
  void call(const std::function<void(server::Server&)>& what);
  void drop_connections();    ///< from within call()
  void pause(Duration span);  ///< it stands still for so long; does not wait
  net::Loop& loop() { return loop_; }

 private:
  class Queue;
  class Slow;
  HostedServer();
  std::unique_ptr<server::Server> server_;  // before the loop, which has sessions with it until it goes
  net::Loop loop_;
  std::unique_ptr<Queue> queue_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  std::vector<Endpoint> endpoints_;
  Time busy_until_{};  ///< BuiltinOptions::service
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace mailproof::host
