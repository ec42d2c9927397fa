// COMPRESS=DEFLATE (RFC 4978). It is for who has logged in.
#include "core/deflate_peer.h"
#include "server/imap/session.h"

namespace mailproof::server {
namespace {

void compress(ImapSession& session, imap::Cursor& c) {
  c.sp();
  const auto algorithm = c.atom();
  if (!c.end()) return session.bad(c);
  if (!iequals(algorithm, "DEFLATE")) return session.bad("No such compression");
  if (!session.compress) return session.bad("DEFLATE is active already");
  session.ok("DEFLATE active");
  std::exchange(session.compress, nullptr)();
}

}  // namespace

std::unique_ptr<Peer> compressible(std::unique_ptr<ImapSession> session) {
  ImapSession& inside = *session;
  auto outside = std::make_unique<DeflatePeer>(std::move(session));
  inside.compress = [peer = outside.get()] { peer->start(); };
  return outside;
}

const Extension& compress_extension() {
  static const Extension extension{
      .capabilities = "COMPRESS=DEFLATE", .announced = kLoggedIn, .commands = {{"COMPRESS", kLoggedIn, compress}}};
  return extension;
}

}  // namespace mailproof::server
