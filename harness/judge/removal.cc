// I15 and I29: exactly what some client asked to remove goes, when it asked for it.
#include <fmt/format.h>

#include <optional>

#include "core/bytes.h"
#include "judge/judges.h"
#include "judge/requests.h"

namespace mailproof::judge {
namespace {

using history::Cell;
using history::Event;

void more_than_asked(Case& c) {
  std::optional<Requests> asked;  // looked for when something is missing
  for (const Cell& cell : c.ledger.cells()) {
    if (!certainly_missing(cell) || surplus_elsewhere(c, cell) > 0) continue;
    if (!asked) asked.emplace(c);
    const Request* with = asked->gone_with(cell);
    if (with == nullptr) continue;
    const Event& command = c.history.event(with->invoke);
    const std::string name = c.name_of(cell.message);
    const std::string box = fmt::format("{}'s {}", c.account(cell.account), c.ledger.mailbox_name(cell.mailbox));
    std::vector<std::uint32_t> events{cell.last_seen, with->invoke, with->completion, cell.first_absent};
    switch (with->kind) {
      case Request::Kind::imap:
        c.find("more-than-expunged",
               {fmt::format("{} still in {}: nobody had marked it with \\Deleted or moved it", name, box),
                fmt::format("{} went with the {} of {} at {}", name, upper(history::name(command.what)), c.who(command),
                            c.when(command)),
                events, cell.message, ""});
        break;
      case Request::Kind::quit:
        c.find("more-than-marked",
               {fmt::format("{} still in {}: it was not marked when QUIT came", name, box),
                fmt::format("{} went with the QUIT of {} at {}", name, c.who(command), c.when(command)), events,
                cell.message, ""});
        break;
      case Request::Kind::dropped:
        c.find("without-quit",
               {fmt::format("{} still in {}: the session ended without QUIT", name, box),
                fmt::format("{} is gone since the session of {} ended at {}", name, c.who(command), c.when(command)),
                events, cell.message, ""});
        break;
    }
  }
}

/// Still there though its removal was confirmed. A message that came back after it was absent is the duplicates
/// judge's.
void still_there(Case& c) {
  for (const Cell& cell : c.ledger.cells()) {
    if (!cell.enumerated || cell.removes == 0 || cell.present <= cell.most() || cell.reappeared) continue;
    if (cell.present > cell.adds + cell.maybe_adds) continue;
    const Event& command = c.history.event(cell.removed_by == 0 ? cell.added_by : cell.removed_by);
    if (command.what == history::What::rename) continue;
    const bool pop = (cell.removed_over & 2) != 0 && command.what == history::What::quit;
    c.find(pop ? "quit-ok-but-there" : "expunge-ok-but-there",
           {fmt::format("{} gone from {}'s {}", c.name_of(cell.message), c.account(cell.account),
                        c.ledger.mailbox_name(cell.mailbox)),
            fmt::format("{} asked for its removal at {} and was told OK; a fresh session still finds it",
                        c.who(command), c.when(command)),
            {cell.marked_by, cell.removed_by, cell.last_seen},
            cell.message,
            ""});
  }
}

}  // namespace

void judge_removal(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "removal", out);
  more_than_asked(c);
  still_there(c);
}

}  // namespace mailproof::judge
