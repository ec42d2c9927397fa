// I15 and I29: exactly what some client asked to remove goes, when it asked for it.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/bytes.h"
#include "history/flags.h"
#include "judge/after_download.h"
#include "judge/came_later.h"
#include "judge/heard.h"
#include "judge/judges.h"
#include "judge/pop3_policy.h"
#include "judge/requests.h"

namespace mailproof::judge {
namespace {

using history::Cell;
using history::Event;

void more_than_asked(Case& c) {
  const RequestsWhenNeeded asked(c);
  for (const Cell& cell : c.ledger.cells()) {
    if (!certainly_missing(cell) || surplus_elsewhere(c, cell) > 0 || perhaps_queued(c, cell)) continue;
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
        if (const Event* mark = deleted_flag_at(c, cell, with->invoke, with->completion)) {
          c.find("marked-over-imap",
                 {fmt::format("{} still in {}: DELE did not mark it", name, box),
                  fmt::format("{} went with the QUIT of {} at {}; over IMAP {} had set \\Deleted at {}", name,
                              c.who(command), c.when(command), c.who(*mark), c.when(*mark)),
                  {mark->index, cell.last_seen, with->invoke, with->completion, cell.first_absent},
                  cell.message,
                  ""});
          break;
        }
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

/// The flags that the client which marked this message was told of it before its EXPUNGE: in the answer to its STORE,
/// or later. Null: it was told none. What other sessions are told may be older.
const Event* told_since_marked(const Case& c, const Cell& cell, const Event& expunge) {
  const Event& store = c.history.event(cell.marked_by);
  if (cell.marked_by != 0 && store.what == history::What::row) return &store;  // told with \Deleted while it was set
  if (cell.marked_by == 0 || store.what != history::What::store || store.session != expunge.session) return nullptr;
  std::vector<std::uint32_t> uids = history::parse_uids(store.set);
  const std::string& box = c.ledger.mailbox_name(cell.mailbox);
  std::erase_if(uids, [&](std::uint32_t uid) {
    const auto sights = c.sights(cell.message);
    return std::none_of(sights.begin(), sights.end(), [&](std::uint32_t sight) {
      const Event& e = c.history.event(sight);
      return e.uid == uid && c.history.account_of(e) == cell.account && e.mailbox == box;
    });
  });
  const Event* told = nullptr;
  for (std::uint32_t i = store.index + 1; i < expunge.index; ++i) {
    const Event& e = c.history.event(i);
    if (e.session == store.session && e.what == history::What::row && e.has_flags &&
        std::find(uids.begin(), uids.end(), e.uid) != uids.end())
      told = &e;
  }
  return told;
}

/// EXPUNGE owes the removal of what has \Deleted: where STORE was answered OK and the flag was not set, that comes
/// first.
void left_by_expunge(Case& c, const Cell& cell, const Event& expunge) {
  const std::string name = c.name_of(cell.message);
  const std::string box = fmt::format("{}'s {}", c.account(cell.account), c.ledger.mailbox_name(cell.mailbox));
  const Event* told = expunge.what == history::What::expunge ? told_since_marked(c, cell, expunge) : nullptr;
  if (told != nullptr && !history::has_deleted(told->flags)) {
    const Event& store = c.history.event(cell.marked_by);
    c.find(
        "store-ok-but-unset",
        {fmt::format("{} in {} has \\Deleted: the STORE was answered OK", name, box),
         fmt::format("{} set it at {} and was told OK, and at {} that the flags are ({}); EXPUNGE at {} left it there",
                     c.who(store), c.when(store), c.when(*told), printable(told->flags, 100), c.when(expunge)),
         {cell.marked_by, told->index, cell.removed_by, cell.last_seen},
         cell.message,
         ""});
    return;
  }
  const bool silent = expunge.what == history::What::expunge && told == nullptr;
  c.find("expunge-ok-but-there",
         {fmt::format("{} gone from {}", name, box),
          fmt::format("{} asked for its removal at {} and was told OK; a fresh session still finds it{}",
                      c.who(expunge), c.when(expunge), silent ? " (that it had \\Deleted before, no FETCH told)" : ""),
          {cell.marked_by, cell.removed_by, cell.last_seen},
          cell.message,
          ""});
}

/// Still there though its removal was confirmed. A message that came back after it was absent is the duplicates
/// judge's; what POP3 removed and only IMAP still shows is the server's policy.
void still_there(Case& c) {
  for (const Cell& cell : c.ledger.cells()) {
    if (!cell.enumerated || cell.removes == 0 || cell.present - cell.kept() <= cell.most() || cell.reappeared) continue;
    if (cell.present > cell.adds + cell.maybe_adds) continue;
    const Event& command = c.history.event(cell.removed_by == 0 ? cell.added_by : cell.removed_by);
    if (command.what == history::What::rename) continue;
    const bool pop = (cell.removed_over & 2) != 0 && command.what == history::What::quit;
    if (pop && !cell.in_pop && !cell.by_pop) continue;  // the view that it was removed from was not listed
    if (!pop) {
      left_by_expunge(c, cell, command);
      continue;
    }
    c.find("quit-ok-but-there",
           {fmt::format("{} gone from {}'s {}", c.name_of(cell.message), c.account(cell.account),
                        c.ledger.mailbox_name(cell.mailbox)),
            fmt::format("{} asked for its removal at {} and was told OK; a fresh session still finds it",
                        c.who(command), c.when(command)),
            {cell.marked_by, cell.removed_by, cell.last_seen},
            cell.message,
            ""});
  }
}

/// RFC 1939 section 6 asks for the removal from the maildrop; what IMAP then shows is the server's policy. Seen twice,
/// the second time after the settling time.
void policy(Case& c) {
  const auto declared = c.history.info.pop3_delete;
  const RemovedForAll removed(c);
  for (const Cell& cell : c.ledger.cells()) {
    const auto shown = c.ledger.pop3_delete(cell);
    if (!shown || cell.unlike < 2) continue;
    const Cell* trash = c.ledger.in_trash(cell);
    if (!declared && trash != nullptr && cell.present > 0) continue;  // it came again: that may be a view of INBOX
    const std::string inbox = fmt::format("{}'s INBOX", c.account(cell.account));
    const Event& asked = c.history.event(cell.removed_by);
    const bool kept = !declared && *shown == Pop3Delete::keeps_for_imap;
    if (const Cell* fellow = kept ? removed.beside(cell) : nullptr) {
      c.find("quit-ok-but-there",
             {fmt::format("{} gone from {}, as {} is", c.name_of(cell.message), inbox, c.name_of(fellow->message)),
              fmt::format("the QUIT of {} at {} was to remove both; IMAP goes on showing the one alone", c.who(asked),
                          c.when(asked)),
              {cell.marked_by, cell.removed_by, cell.last_seen},
              cell.message,
              ""});
      continue;
    }
    const std::string actual = fmt::format(
        "{} went from the maildrop with the QUIT of {} at {}; IMAP {}", c.name_of(cell.message), c.who(asked),
        c.when(asked),
        *shown == Pop3Delete::keeps_for_imap ? fmt::format("goes on showing it in {}", inbox)
        : trash != nullptr ? fmt::format("shows it in {}", printable(c.ledger.mailbox_name(trash->mailbox), 100))
                           : "shows it nowhere");
    const std::string_view found = declared                               ? "not-as-declared"
                                   : *shown == Pop3Delete::keeps_for_imap ? "kept-for-imap"
                                                                          : "moved-to-trash";
    const std::string expected =
        declared ? fmt::format("pop3_delete: {}", name(*declared))
                 : fmt::format("gone from {} as well, or pop3_delete: {} in the target file", inbox, name(*shown));
    c.find(found, {expected,
                   actual,
                   {cell.marked_by, cell.removed_by, trash != nullptr ? trash->last_seen : cell.last_seen},
                   cell.message,
                   ""});
  }
}

/// What IMAP expunged is in another mailbox, and no client put it there: Courier's IMAP_MOVE_EXPUNGE_TO_TRASH,
/// Dovecot's lazy_expunge.
void expunged_to_trash(Case& c) {
  for (const Cell& cell : c.ledger.cells()) {
    const Cell* trash = cell.pop_removes == 0 && cell.removed_by != 0 ? c.ledger.in_trash(cell) : nullptr;
    if (trash == nullptr) continue;
    const Event& asked = c.history.event(cell.removed_by);
    const std::string name = c.name_of(cell.message);
    c.find("expunged-to-trash",
           {fmt::format("{} gone from all of {}'s mailboxes", name, c.account(cell.account)),
            fmt::format("{} went from {} with the {} of {} at {}; IMAP shows it in {}, where nobody put it", name,
                        printable(c.ledger.mailbox_name(cell.mailbox), 100), upper(history::name(asked.what)),
                        c.who(asked), c.when(asked), printable(c.ledger.mailbox_name(trash->mailbox), 100)),
            {cell.marked_by, cell.removed_by, trash->last_seen},
            cell.message,
            ""});
  }
}

/// RFC 1939 section 8: what was downloaded may go with the QUIT, where the site wants that.
void after_download(Case& c) {
  const auto declared = c.history.info.pop3_download;
  for (const Cell& cell : c.ledger.cells()) {
    if (cell.implied == 0 || cell.maybe_removes == 0 || cell.removed_by == 0) continue;
    const Event& asked = c.history.event(cell.removed_by);
    const std::string name = c.name_of(cell.message);
    const std::string place = fmt::format("{}'s maildrop", c.account(cell.account));
    if (!declared && c.ledger.assumed() && cell.enumerated && c.ledger.gone_after_download(cell))
      c.find(
          "gone-after-download",
          {fmt::format("{} still in {}, where nobody marked it, or pop3_download: removes in the target file", name,
                       place),
           fmt::format("{} went with the QUIT of {} at {}, which had downloaded it", name, c.who(asked), c.when(asked)),
           {cell.marked_by, cell.removed_by, cell.first_absent},
           cell.message,
           ""});
    // Another copy may be the one that is found.
    if (declared != Pop3Download::removes || cell.implied < 2 || cell.adds + cell.maybe_adds != 1) continue;
    if (const std::uint32_t found = found_after(c, cell.message, cell.account, cell.removed_by); found != 0)
      c.find("not-as-declared",
             {"pop3_download: removes",
              fmt::format("{} was downloaded by {}, whose QUIT came at {}; {} finds it in {} at {}", name, c.who(asked),
                          c.when(asked), c.who(c.history.event(found)), place, c.when(c.history.event(found))),
              {cell.marked_by, cell.removed_by, found},
              cell.message,
              ""});
  }
}

}  // namespace

void judge_removal(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "removal", out);
  if (history.info.recorded) return judge_heard_removals(c);
  more_than_asked(c);
  still_there(c);
  policy(c);
  expunged_to_trash(c);
  after_download(c);
}

}  // namespace mailproof::judge
