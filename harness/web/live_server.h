#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"

namespace mailproof::web {

struct LiveOptions {
  std::string host = "127.0.0.1";  ///< an address of this machine
  std::uint16_t port = 0;          ///< 0: a free one
  std::string token;               ///< asked of everybody; "" = nobody is asked, which only loopback may have
};

/// "127.0.0.1:8080", ":8080", "8080", "0.0.0.0" or "[::1]:8080". What is not loopback gets a token.
Result<LiveOptions> parse_live(std::string_view address);

/// A page for people who watch, on a thread of its own, over HTTP/1.1 (RFC 9112) and WebSocket (RFC 6455): / is the
/// page, /live a WebSocket that says each new state as one text message, /state.json the state, /metrics the same in
/// Prometheus' text format. Answers GET and HEAD only, and changes nothing.
///
/// A token comes as ?token=, or as Authorization: Bearer. Without one, requests must name loopback as their host and a
/// WebSocket must come from a page of ours, so that no other site in a browser reads along.
class LiveServer {
 public:
  /// Listens when this returns. The error says what was in the way.
  static Result<std::unique_ptr<LiveServer>> start(const LiveOptions& options, std::string page);
  ~LiveServer();
  LiveServer(const LiveServer&) = delete;

  std::string url() const;  ///< with the token
  /// The new state, for everybody who watches; who is slow gets the newest only. Any thread.
  void publish(std::string json, std::string metrics);
  std::size_t watching() const;  ///< open WebSockets; any thread

 private:
  struct Inside;
  explicit LiveServer(std::unique_ptr<Inside> inside);
  std::unique_ptr<Inside> inside_;
};

}  // namespace mailproof::web
