// IDLE (RFC 2177).
#include "server/imap/session.h"

namespace mailproof::server {
namespace {

void idle(ImapSession& session, imap::Cursor& c) {
  if (!c.end()) return session.bad(c);
  const bool silent = session.idles_in_silence();
  session.tell_at_once(true);
  session.write("+ idling\r\n");
  if (session.view() != nullptr && !silent) session.report_changes(true);
  session.next_line([&session, silent](std::string_view line) {
    session.tell_at_once(false);
    if (!iequals(line, "DONE")) return session.bad("IDLE ends with DONE");
    if (silent) return session.print("{} OK IDLE over\r\n", session.tag());
    session.ok("IDLE over");
  });
}

}  // namespace

const Extension& idle_extension() {
  static const Extension extension{.capabilities = "IDLE", .commands = {{"IDLE", kLoggedIn, idle}}};
  return extension;
}

}  // namespace mailproof::server
