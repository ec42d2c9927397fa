// INPROGRESS (RFC 9585): how far a SEARCH, COPY or MOVE of many messages has come.
#include "server/imap/session.h"

namespace mailproof::server {
namespace {

void progress(ImapSession& session, std::size_t done, std::size_t total) {
  session.print("* OK [INPROGRESS (\"{}\" {} {})] Still working\r\n", session.tag(), done, total);
}

}  // namespace

const Extension& inprogress_extension() {
  static const Extension extension{.capabilities = "INPROGRESS", .progress = progress};
  return extension;
}

}  // namespace mailproof::server
