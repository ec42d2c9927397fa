// NAMESPACE (RFC 2342).
#include "server/imap/session.h"

namespace mailproof::server {
namespace {

void name_spaces(ImapSession& session, imap::Cursor& c) {
  if (!c.end()) return session.bad(c);
  session.print("* NAMESPACE ((\"\" \"{}\")) NIL NIL\r\n", kHierarchyDelimiter);
  session.ok("Done");
}

}  // namespace

const Extension& namespace_extension() {
  static const Extension extension{.capabilities = "NAMESPACE", .commands = {{"NAMESPACE", kLoggedIn, name_spaces}}};
  return extension;
}

}  // namespace mailproof::server
