// I37: no session of one user ever sees a message of another.
#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "judge/case.h"
#include "judge/judges.h"

namespace mailproof::judge {

void judge_isolation(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "isolation", out);
  for (const history::Cell& cell : ledger.cells()) {
    if (cell.first_seen == 0 && cell.present == 0 && cell.present_pop == 0) continue;
    // RFC 6154 section 2 (\Sent): a server may keep a copy for who sent it.
    if (cell.account == history.message(cell.message).sender && !iequals(ledger.mailbox_name(cell.mailbox), "INBOX"))
      continue;
    const auto cells = ledger.cells_of(cell.message);
    const auto attempts = ledger.attempts_of(cell.message);
    const bool put = std::any_of(cells.begin(), cells.end(), [&](const history::Cell& other) {
      return other.account == cell.account && other.adds + other.maybe_adds > 0;
    });
    const bool sent = std::any_of(attempts.begin(), attempts.end(),
                                  [&](const history::Attempt& a) { return a.account == cell.account; });
    if (put || sent) continue;
    std::string owners;
    for (const auto& attempt : attempts)
      if (owners.find(c.account(attempt.account)) == std::string::npos)
        owners += (owners.empty() ? "" : ", ") + c.account(attempt.account);
    c.find("leak", {fmt::format("{} seen by {} only", c.name_of(cell.message), owners.empty() ? "its owner" : owners),
                    fmt::format("it is in {}'s {}{}", c.account(cell.account), ledger.mailbox_name(cell.mailbox),
                                cell.first_seen == 0 ? std::string()
                                                     : ", seen by " + c.who(history.event(cell.first_seen)) + " at " +
                                                           c.when(history.event(cell.first_seen))),
                    {cell.first_seen, cell.last_seen},
                    cell.message,
                    ""});
  }
}

}  // namespace mailproof::judge
