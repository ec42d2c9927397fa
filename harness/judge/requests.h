#pragma once
#include <vector>

#include "judge/case.h"

namespace mailproof::judge {

/// Something a client did that removes messages, or might look to a server as if it did.
struct Request {
  enum class Kind : std::uint8_t { imap, quit, dropped } kind = Kind::imap;
  std::uint32_t invoke = 0, completion = 0;  ///< dropped: both are the end of the session
  std::uint32_t session = 0, account = 0;
  std::string mailbox;
  std::vector<std::uint32_t> touched;  ///< POP3: messages it retrieved, marked, or marked and unmarked again
  bool marked = false;                 ///< POP3: something was marked when it ended
};

/// Every EXPUNGE, CLOSE and MOVE, every QUIT, and every POP3 session that ended without one, by devices of the
/// scenario, in order.
std::vector<Request> requests(const Case& c);

/// The request that a message seems to have gone with: not proven there after its end, not known absent before it
/// began. Null: nobody removed anything then, so nobody's request is to blame.
const Request* gone_with(const Case& c, const std::vector<Request>& all, const history::Cell& cell);

/// The event of the last delivery or APPEND of this message into this mailbox that was accepted; 0 = none.
std::uint32_t last_delivery(const Case& c, const history::Cell& cell);

/// Copies of the message in other mailboxes of the account, beyond what was put there: a filter's doing, or a MOVE's
/// that said NO and still moved some (RFC 6851 section 3.3).
int surplus_elsewhere(const Case& c, const history::Cell& cell);

/// Certainly missing: two looks, the second after the settling time, both without it.
bool certainly_missing(const history::Cell& cell);

}  // namespace mailproof::judge
