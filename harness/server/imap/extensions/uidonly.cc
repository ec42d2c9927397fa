// UIDONLY (RFC 9586): no message numbers. UIDFETCH and VANISHED are written where FETCH and EXPUNGE are
// (session_report.cc).
#include <algorithm>

#include "server/imap/session.h"

namespace mailproof::server {
namespace {

std::string_view refuse_numbers(const ImapSession& session, const ImapCommand& command) {
  constexpr std::string_view by_number[] = {"FETCH", "STORE", "SEARCH", "COPY", "MOVE", "REPLACE", "SORT", "THREAD"};
  const bool numbers = std::find(std::begin(by_number), std::end(by_number), command.name) != std::end(by_number);
  if (!numbers || session.by_uid() || !session.enabled("UIDONLY")) return {};
  return "[UIDREQUIRED] Message numbers are not used with UIDONLY";
}

}  // namespace

const Extension& uidonly_extension() {
  static const Extension extension{.capabilities = "UIDONLY", .enables = {{"UIDONLY"}}, .refuses = refuse_numbers};
  return extension;
}

}  // namespace mailproof::server
