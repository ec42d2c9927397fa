#pragma once
#include <memory>

#include "core/peer.h"
#include "core/rng.h"
#include "server/server.h"
#include "server/store/store.h"
#include "server/switches.h"

namespace mailproof::server {

class Connection;
class Delivery;

/// What every connection of one server shares. Outlives them all.
struct ServerContext {
  const ServerOptions& options;
  Store& store;
  const Switches& switches;
  Delivery& delivery;
  Rng& rng;  ///< one stream for the whole server; connections draw in the order they come

  bool has(Defect defect) const { return switches.on(defect); }
  bool has(Latitude latitude) const { return switches.on(latitude); }
};

std::unique_ptr<Peer> make_imap(ServerContext& context, bool tls, bool needs_tls);
std::unique_ptr<Connection> make_pop3(ServerContext& context, bool tls);
std::unique_ptr<Connection> make_smtp(ServerContext& context, bool tls, bool lmtp);

}  // namespace mailproof::server
