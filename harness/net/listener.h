#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/network.h"
#include "core/result.h"
#include "net/loop.h"

namespace mailproof::net {

class Connection;

struct ListenerOptions {
  std::string host = "127.0.0.1";  ///< an address to bind, or a name of this host
  std::uint16_t port = 0;          ///< 0 takes a free one
  bool tls_first = false;          ///< implicit TLS
  int backlog = 4096;
  std::shared_ptr<TlsContext> tls;  ///< TlsContext::server(); needed for tls_first and for peers that want STARTTLS
};

/// Accepts connections on a loop and joins a new Peer to each, server side. Lives on the loop's thread.
/// Destroying it closes the port and drops its connections.
class Listener {
 public:
  /// Makes the peer of one connection; `tls` = it will be secured before it is opened. Null refuses the connection.
  using Accept = std::function<std::unique_ptr<Peer>(bool tls)>;
  /// Told once each time accepting has to pause: "too many open files".
  using Trouble = std::function<void(const Error&)>;

  static Result<std::unique_ptr<Listener>> listen(Loop& loop, ListenerOptions options, Accept accept,
                                                  Trouble trouble = {});
  ~Listener();
  Listener(const Listener&) = delete;

  std::uint16_t port() const;
  std::size_t connections() const;
  void drop_connections();  ///< all at once, without a word; the port stays open

 private:
  class Door;
  explicit Listener(std::shared_ptr<Door> door);
  std::shared_ptr<Door> door_;
};

}  // namespace mailproof::net
