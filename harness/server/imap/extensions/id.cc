// ID (RFC 2971).
#include "server/imap/session.h"

namespace mailproof::server {
namespace {

void id(ImapSession& session, imap::Cursor& c) {
  c.sp();
  c.skip_value();
  if (!c.end()) return session.bad(c);
  session.write("* ID (\"name\" \"mailproof reference server\")\r\n");
  session.ok("Done");
}

}  // namespace

const Extension& id_extension() {
  static const Extension extension{.capabilities = "ID", .commands = {{"ID", kAnyState, id}}};
  return extension;
}

}  // namespace mailproof::server
