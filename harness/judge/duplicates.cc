// I3: copies never exceed what was put there. I6: what is gone stays gone.
#include <fmt/format.h>

#include "judge/judges.h"
#include "judge/requests.h"

namespace mailproof::judge {

void judge_duplicates(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "duplicates", out);
  for (const history::Cell& cell : ledger.cells()) {
    if (!cell.enumerated) continue;
    const int put = cell.adds + cell.maybe_adds;
    const std::string box = fmt::format("{}'s {}", c.account(cell.account), ledger.mailbox_name(cell.mailbox));
    const std::string name = c.name_of(cell.message);
    if (put == 0) continue;  // a leak, a filter's doing, or a refused message: other judges look
    if (cell.present > put) {
      c.find("duplicated",
             {fmt::format("at most {} of {} in {}", cell.most(), name, box),
              fmt::format("{} copies of {}; it was put there {} time{}", cell.present, name, put, put == 1 ? "" : "s"),
              {cell.added_by, cell.last_seen},
              cell.message,
              ""});
    } else if (cell.present > cell.most() && cell.reappeared) {
      c.find("resurrected", {fmt::format("{} gone from {} for good", name, box),
                             fmt::format("it was removed, was absent, and is there again"),
                             {cell.marked_by, cell.removed_by, cell.last_seen},
                             cell.message,
                             ""});
    } else if (cell.adds > 0 && cell.maybe_adds > 0 && cell.present > cell.adds - cell.removes && cell.present > 1) {
      c.find("after-lost-answer", {fmt::format("one {} in {}, or one for every attempt", name, box),
                                   fmt::format("{} copies of {} after {} accepted and {} unanswered attempts",
                                               cell.present, name, cell.adds, cell.maybe_adds),
                                   {cell.added_by, cell.last_seen},
                                   cell.message,
                                   ""});
    }
  }
}

}  // namespace mailproof::judge
