// COMPRESS=DEFLATE (RFC 4978).
#include "core/deflate_peer.h"
#include "server/imap/session.h"

namespace mailproof::server {

void ImapSession::cmd_compress(imap::Cursor& c) {
  c.sp();
  const auto algorithm = c.atom();
  if (!c.end()) return bad(c);
  if (!iequals(algorithm, "DEFLATE")) return bad("No such compression");
  if (!compress) return bad("DEFLATE is active already");
  ok("DEFLATE active");
  std::exchange(compress, nullptr)();
}

std::unique_ptr<Peer> compressible(std::unique_ptr<ImapSession> session) {
  ImapSession& inside = *session;
  auto outside = std::make_unique<DeflatePeer>(std::move(session));
  inside.compress = [peer = outside.get()] { peer->start(); };
  return outside;
}

}  // namespace mailproof::server
