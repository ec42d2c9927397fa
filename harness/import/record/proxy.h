#pragma once
#include <cstddef>
#include <memory>
#include <set>
#include <string>

#include "core/result.h"
#include "import/observe/recording.h"
#include "net/listener.h"
#include "net/loop.h"

namespace mailproof::imports {

/// Where a proxy waits for clients, and the server that they are meant to reach.
struct Passage {
  net::ListenerOptions listen;
  Endpoint upstream;  ///< `starttls`: TLS begins on both sides when the server agrees to it
  /// So long a client may be silent and keep open what the server has ended, and all of which it was given.
  Duration lingering = 60s;
};

/// Stands between clients and a server: passes on what comes, octet for octet and as it comes, and lets a recording
/// listen. Nothing of it is changed. It belongs to the thread of its loop.
class Proxy {
 public:
  /// `loop` and `recording` outlive it.
  static Result<std::unique_ptr<Proxy>> open(net::Loop& loop, Recording& recording, Passage passage);
  ~Proxy();
  Proxy(const Proxy&) = delete;

  std::uint16_t port() const { return listener_->port(); }
  /// Ends what is still open, and says so to the recording.
  void close();

 private:
  class Relay;
  class Side;
  Proxy(net::Loop& loop, Recording& recording, Passage passage);
  std::unique_ptr<Peer> accept();
  void forget(Relay* relay);

  net::Loop& loop_;
  Recording& recording_;
  Passage passage_;
  std::set<std::shared_ptr<Relay>> relays_;
  std::unique_ptr<net::Listener> listener_;  ///< last: its connections go first
};

}  // namespace mailproof::imports
