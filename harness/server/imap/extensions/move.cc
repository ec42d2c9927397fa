// MOVE (RFC 6851).
#include "server/imap/session.h"

namespace mailproof::server {
namespace {

void move(ImapSession& session, imap::Cursor& c) { session.copy_or_move(c, true); }

}  // namespace

const Extension& move_extension() {
  static const Extension extension{.capabilities = "MOVE",
                                   .absent_with = {latitude("imap.no-move")},
                                   .commands = {{"MOVE", kSelected, move}},
                                   .uid_commands = {{"MOVE", kSelected, move}}};
  return extension;
}

}  // namespace mailproof::server
