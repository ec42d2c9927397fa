// I3: copies never exceed what was put there. I6: what is gone stays gone.
#include <fmt/format.h>

#include <algorithm>

#include "judge/copies.h"
#include "judge/judges.h"

namespace mailproof::judge {

void judge_duplicates(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "duplicates", out);
  const Sightings seen = most_at_once(c);
  for (const history::Cell& cell : ledger.cells()) {
    const int put = cell.adds + cell.maybe_adds;
    if (put == 0) continue;  // a leak, a filter's doing, or a refused message: other judges look
    const std::string& mailbox = ledger.mailbox_name(cell.mailbox);
    const std::string box = fmt::format("{}'s {}", c.account(cell.account), mailbox);
    const std::string name = c.name_of(cell.message);
    const auto at_once = seen.find({cell.message, cell.account, mailbox});
    const int present = cell.enumerated ? cell.present : 0;
    const int most = std::max(present, at_once == seen.end() ? 0 : at_once->second.copies);
    if (most > put) {
      c.find("duplicated",
             {fmt::format("at most {} of {} in {}", put, name, box),
              fmt::format("{} copies of {}; it was put there {} time{}", most, name, put, put == 1 ? "" : "s"),
              {cell.added_by, at_once == seen.end() ? cell.last_seen : at_once->second.event},
              cell.message,
              ""});
    } else if (present > cell.most() && cell.reappeared) {
      c.find("resurrected", {fmt::format("{} gone from {} for good", name, box),
                             fmt::format("{} was removed, was absent, and is there again", name),
                             {cell.marked_by, cell.removed_by, cell.last_seen},
                             cell.message,
                             ""});
    } else if (cell.adds > 0 && cell.maybe_adds > 0 && present > cell.adds - cell.removes && present > 1) {
      c.find("after-lost-answer", {fmt::format("one {} in {}, or one for every attempt", name, box),
                                   fmt::format("{} copies of {} after {} accepted and {} unanswered attempts", present,
                                               name, cell.adds, cell.maybe_adds),
                                   {cell.added_by, cell.last_seen},
                                   cell.message,
                                   ""});
    }
  }
}

}  // namespace mailproof::judge
