// UNSELECT (RFC 3691).
#include "server/imap/session.h"

namespace mailproof::server {
namespace {

void unselect(ImapSession& session, imap::Cursor& c) {
  if (!c.end()) return session.bad(c);
  session.deselect();
  session.ok("Unselected");
}

}  // namespace

const Extension& unselect_extension() {
  static const Extension extension{.capabilities = "UNSELECT", .commands = {{"UNSELECT", kSelected, unselect}}};
  return extension;
}

}  // namespace mailproof::server
