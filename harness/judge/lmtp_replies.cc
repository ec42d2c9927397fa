// I34: one reply a recipient after the final dot, and what was refused is not delivered.
#include <fmt/format.h>

#include "core/bytes.h"
#include "judge/case.h"
#include "judge/judges.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::Type;
using history::What;

void replies(Case& c) {
  for (const Event& e : c.history.about(What::deviation)) {
    if (e.session == 0) continue;
    const bool few = e.code == "lmtp.replies.missing", many = e.code == "lmtp.replies.extra";
    if (!few && !many) continue;
    c.find(few ? "too-few" : "too-many",
           {"one reply for each recipient that was accepted",
            fmt::format("{} at {}: {}", c.history.session(e.session).label, c.when(e), printable(e.text, 160)),
            {e.index},
            0,
            ""});
  }
}

void refused_but_delivered(Case& c) {
  for (const history::Cell& cell : c.ledger.cells()) {
    if (!cell.enumerated || cell.present == 0 || cell.adds + cell.maybe_adds > 0) continue;
    const history::Attempt* refused = nullptr;
    bool taken = false;
    for (const auto& attempt : c.ledger.attempts_of(cell.message)) {
      if (attempt.account != cell.account) continue;
      taken |= attempt.outcome != Type::fail;
      if (attempt.outcome == Type::fail && attempt.smtp_code != 0) refused = &attempt;
    }
    // What was put there before may have been moved here: by a client, or by POP3's QUIT.
    for (const history::Cell& other : c.ledger.cells_of(cell.message))
      taken |= other.account == cell.account && other.adds + other.maybe_adds > 0;
    if (refused == nullptr || taken) continue;
    c.find("refused-but-delivered", {fmt::format("no {} in {}'s mailbox: it was refused with {}",
                                                 c.name_of(cell.message), c.account(cell.account), refused->smtp_code),
                                     fmt::format("it is in {}", c.ledger.mailbox_name(cell.mailbox)),
                                     {refused->event, cell.last_seen},
                                     cell.message,
                                     ""});
  }
}

}  // namespace

void judge_lmtp_replies(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "lmtp-replies", out);
  replies(c);
  if (!history.info.recorded) refused_but_delivered(c);
}

}  // namespace mailproof::judge
