// UIDPLUS (RFC 4315). APPENDUID and COPYUID are said where messages are appended and copied.
#include "server/imap/session.h"

namespace mailproof::server {
namespace {

void uid_expunge(ImapSession& session, imap::Cursor& c) {
  c.sp();
  const auto [set, indexes] = session.read_messages(c);
  if (!c.end()) return session.bad(c);
  if (session.refuse_change()) return;
  if (!session.permits(session.view()->mailbox(), 'e')) return session.no("[NOPERM] Nothing may be expunged here");
  session.expunge_deleted(set);
  session.ok_expunged();
}

}  // namespace

const Extension& uidplus_extension() {
  static const Extension extension{.capabilities = "UIDPLUS",
                                   .absent_with = {latitude("imap.no-uidplus")},
                                   .uid_commands = {{"EXPUNGE", kSelected, uid_expunge}}};
  return extension;
}

}  // namespace mailproof::server
