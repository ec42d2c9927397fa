// I1: what was accepted is there in the end, unless somebody asked for its removal. I19: what is moved is somewhere.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "core/bytes.h"
#include "judge/came_later.h"
#include "judge/excuses.h"
#include "judge/judges.h"
#include "judge/last_touch.h"
#include "judge/requests.h"

namespace mailproof::judge {
namespace {

using history::Cell;

/// The account took the message by this.
bool taken(const history::Attempt& attempt, const Cell& cell) {
  return attempt.account == cell.account && attempt.outcome == history::Type::ok;
}

struct Surroundings {
  bool all_listed = true;  ///< every mailbox of the account where it may be was listed
  int present = 0;
  int sure = 0;  ///< additions minus removals that are not a MOVE's, certain and possible alike
  bool moved = false;
};

Surroundings around(const Case& c, const Cell& cell) {
  Surroundings out;
  for (const Cell& other : c.ledger.cells_of(cell.message)) {
    if (other.account != cell.account) continue;
    out.all_listed &= other.enumerated;
    out.present += other.enumerated ? other.present : 0;
    out.sure += other.adds - other.removes - (other.maybe_removes - other.maybe_moves);
    out.moved |= other.maybe_moves > 0;
  }
  return out;
}

std::string place(const Case& c, const Cell& cell) {
  return fmt::format("{}'s {}", c.account(cell.account), c.ledger.mailbox_name(cell.mailbox));
}

/// Who suppresses duplicates does so by the Message-IDs of what is delivered: what a client appends or copies is put
/// there (RFC 3501 sections 6.3.11 and 6.4.7). Of what is missing so many copies may be explained by that.
/// `saved`: where a client had put it, and it is; what was delivered before that has nothing that it repeats. Null:
/// nowhere.
int suppressible(const Case& c, const Cell& cell, const Cell* saved) {
  const auto attempts = c.ledger.attempts_of(cell.message);
  const auto delivered_since = [&](std::uint32_t event) {
    return static_cast<int>(std::count_if(attempts.begin(), attempts.end(), [&](const auto& attempt) {
      return taken(attempt, cell) && attempt.event > event;
    }));
  };
  const int delivered = delivered_since(0), repeated = saved == nullptr ? 0 : delivered_since(saved->added_by);
  if (delivered == 0 || !iequals(c.ledger.mailbox_name(cell.mailbox), "INBOX")) return 0;
  return cell.adds > delivered || repeated == delivered ? delivered : delivered - 1;
}

/// What is delivered a filter may file elsewhere; what a client puts into a mailbox is there (RFC 3501 sections 6.3.11
/// and 6.4.7, RFC 6851 section 3.3). A RENAME that is done takes what is in the mailbox along.
bool may_be_elsewhere(const Case& c, const Cell& cell, const Renames& renames, const RefusedMoves& refused) {
  const auto attempts = c.ledger.attempts_of(cell.message);
  const bool delivered =
      std::any_of(attempts.begin(), attempts.end(), [&](const auto& attempt) { return taken(attempt, cell); });
  if (delivered && iequals(c.ledger.mailbox_name(cell.mailbox), "INBOX")) return true;
  return renames.took_away(cell) != nullptr || refused.may_have_moved(cell);
}

/// Mailboxes, by account, in which something is that a client put there, and no delivery. Where nothing stays a script
/// may file it (RFC 6785: `fileinto` at APPEND, COPY and MOVE), and need not be announced.
std::set<std::pair<std::uint32_t, std::uint32_t>> keep_what_clients_put(const Case& c) {
  std::set<std::pair<std::uint32_t, std::uint32_t>> out;
  for (const Cell& cell : c.ledger.cells()) {
    if (!cell.enumerated || cell.adds == 0 || cell.present == 0 || cell.present < cell.least()) continue;
    const auto attempts = c.ledger.attempts_of(cell.message);
    const bool delivered = std::any_of(attempts.begin(), attempts.end(),
                                       [&](const auto& attempt) { return attempt.account == cell.account; });
    if (!delivered || !iequals(c.ledger.mailbox_name(cell.mailbox), "INBOX")) out.emplace(cell.account, cell.mailbox);
  }
  return out;
}

/// Whether it came to INBOX though a client had saved a copy elsewhere before.
bool came_beside_a_saved_one(const Case& c, const Cell& cell) {
  if (!iequals(c.ledger.mailbox_name(cell.mailbox), "INBOX") || cell.present == 0 || cell.present != cell.adds)
    return false;
  const auto attempts = c.ledger.attempts_of(cell.message);
  const auto first =
      std::find_if(attempts.begin(), attempts.end(), [&](const auto& attempt) { return taken(attempt, cell); });
  return first != attempts.end() && copy_elsewhere(c, cell, first->event) != nullptr;
}

/// Accounts in which a message was taken again after its first copy had been seen, or saved, and both are there:
/// nothing is suppressed there.
std::set<std::uint32_t> keep_duplicates(const Case& c) {
  std::set<std::uint32_t> out;
  for (const Cell& cell : c.ledger.cells()) {
    if (cell.enumerated && came_beside_a_saved_one(c, cell)) out.insert(cell.account);
    if (!cell.enumerated || cell.present < 2 || cell.first_seen == 0 || out.contains(cell.account)) continue;
    int late = 0;
    for (const auto& attempt : c.ledger.attempts_of(cell.message))
      late += taken(attempt, cell) && c.history.event(attempt.event).command > cell.first_seen;
    if (late > 0 && cell.present == cell.least() && cell.present == cell.adds) out.insert(cell.account);
  }
  return out;
}

/// Nobody ever saw it, and SMTP alone took it.
bool taken_over_smtp(const Case& c, const Cell& cell) {
  if (cell.first_seen != 0) return false;
  bool smtp = false;
  for (const auto& attempt : c.ledger.attempts_of(cell.message)) {
    if (!taken(attempt, cell)) continue;
    const auto& event = c.history.event(attempt.event);
    smtp = over_smtp(c, event);
    if (!smtp) return false;
  }
  return smtp;
}

/// Mail that was taken over SMTP may still be queued, or reported as undeliverable: its absence is the bounce judge's.
bool owed_a_report(const Case& c, const Cell& cell) {
  if (!taken_over_smtp(c, cell)) return false;
  if (c.history.message(cell.message).sender != 0) return true;
  std::uint32_t last = 0;
  for (const auto& attempt : c.ledger.attempts_of(cell.message))
    if (taken(attempt, cell)) last = attempt.event;
  return !has_limit(c, cell.account) && may_still_be_tried(c, cell.account, last);
}

/// A story that names no sender has the recipient as its sender: what does not fit into the mailbox is reported to
/// that mailbox, where the report does not fit, either.
bool reported_to_itself(const Case& c, const Cell& cell) {
  return c.history.message(cell.message).sender == 0 && has_limit(c, cell.account) && taken_over_smtp(c, cell);
}

/// `copy`: the one that is there. `saved`: the same, where it is only one that a client had put elsewhere; else null.
Words suppressed_words(const Case& c, const Cell& cell, const Cell& copy, const Cell* saved) {
  const std::string name = c.name_of(cell.message);
  const auto in = [&] { return printable(c.ledger.mailbox_name(copy.mailbox), 100); };
  if (saved != nullptr)
    return {fmt::format("the message in {}", place(c, cell)),
            fmt::format("{} was accepted; the only copy is the one that was saved in {}", name, in())};
  std::string expected = fmt::format("{} copies in {}, or one", cell.least(), place(c, cell));
  if (&copy == &cell)
    return {std::move(expected), fmt::format("{} was accepted {} times; {} is there", name, cell.adds, cell.present)};
  return {std::move(expected), fmt::format("{} was accepted {} times; the first one is in {}", name, cell.adds, in())};
}

}  // namespace

void judge_loss(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "loss", out);
  const RequestsWhenNeeded asked(c);
  std::optional<Renames> renames;
  std::optional<RefusedMoves> refused_moves;
  std::optional<std::set<std::uint32_t>> kept;
  std::optional<std::set<std::pair<std::uint32_t, std::uint32_t>>> keep;
  bool audited = false;
  for (const Cell& cell : ledger.cells()) audited |= cell.enumerated;

  for (const Cell& cell : ledger.cells()) {
    const Surroundings s = around(c, cell);
    if (cell.least() > 0 && !cell.enumerated) {
      c.find("not-audited",
             {"a complete listing of every mailbox that must hold a message",
              fmt::format("{} was accepted for {}, and {}", c.name_of(cell.message), place(c, cell),
                          audited ? "no complete listing of that mailbox followed" : "no audit followed"),
              {cell.added_by, cell.last_seen},
              cell.message,
              ""});
      continue;
    }
    // Neither here nor there, and only a MOVE can have taken it.
    if (cell.maybe_moves > 0 && s.moved && s.all_listed && s.sure > 0 && s.present < s.sure && cell.present == 0) {
      c.find("lost-in-move",
             {"the message in the source or in the destination",
              fmt::format("{} is neither in {} nor where it was moved to", c.name_of(cell.message), place(c, cell)),
              {cell.removed_by, cell.last_seen, cell.first_absent},
              cell.message,
              ""});
      continue;
    }
    if (!cell.enumerated || cell.present >= cell.least()) continue;
    if (cell.in_pop && cell.present_pop >= cell.least()) continue;  // it is there; agreement says that IMAP hides it
    const bool elsewhere = surplus_elsewhere(c, cell) > 0;
    if (elsewhere && !renames) renames.emplace(c);
    if (elsewhere && !refused_moves) refused_moves.emplace(c);
    if (elsewhere && may_be_elsewhere(c, cell, *renames, *refused_moves)) {
      c.find("filed-elsewhere", {fmt::format("the message in {}", place(c, cell)),
                                 fmt::format("{} is in another mailbox of the account", c.name_of(cell.message)),
                                 {cell.added_by},
                                 cell.message,
                                 ""});
      continue;
    }
    const std::uint32_t again = asked->last_delivery(cell);
    const bool after_removal = cell.removes > 0 && again > cell.removed_by;
    const bool never_here = cell.first_seen == 0 && cell.removes == 0;
    const Cell* copy = cell.present > 0              ? &cell
                       : after_removal || never_here ? copy_elsewhere(c, cell, again)
                                                     : nullptr;
    if (copy != nullptr && !kept) kept = keep_duplicates(c);
    const Cell* saved = never_here && copy != &cell ? copy : nullptr;
    const bool suppressed =
        copy != nullptr && !kept->contains(cell.account) && cell.least() - cell.present <= suppressible(c, cell, saved);
    if (suppressed || (cell.present > 0 && perhaps_queued(c, cell))) {
      Words words = suppressed_words(c, cell, *copy, saved);
      c.find("suppressed-duplicate",
             {std::move(words.expected), std::move(words.actual), {cell.added_by}, cell.message, ""});
      continue;
    }
    if (cell.misses < 2) {
      c.find("not-confirmed",
             {fmt::format("the message in {}", place(c, cell)),
              fmt::format("{} is not in {}; it was looked for only once", c.name_of(cell.message), place(c, cell)),
              {cell.added_by, cell.first_absent},
              cell.message,
              ""});
      continue;
    }
    if (const history::Event* gone = gone_when_marked(c, cell)) {
      c.find("gone-when-marked",
             {fmt::format("{} in {} until somebody expunges it", c.name_of(cell.message), place(c, cell)),
              fmt::format("{} had marked it with \\Deleted, and was told at {} that it is gone", c.who(*gone),
                          c.when(*gone)),
              {cell.added_by, gone->index},
              cell.message,
              ""});
      continue;
    }
    if (elsewhere) {
      if (!keep) keep = keep_what_clients_put(c);
      c.find(keep->contains({cell.account, cell.mailbox}) ? "put-elsewhere" : "filed-elsewhere",
             {fmt::format("{} in {}: a client put it there", c.name_of(cell.message), place(c, cell)),
              fmt::format("{} is in another mailbox of the account, where nobody put it", c.name_of(cell.message)),
              {cell.added_by, cell.last_seen, cell.first_absent},
              cell.message,
              ""});
      continue;
    }
    if (asked->gone_with(cell) != nullptr || owed_a_report(c, cell)) continue;  // removal or bounce say it better
    if (reported_to_itself(c, cell)) {
      c.find("perhaps-reported",
             {fmt::format("{} in {}, or a report to its sender", c.name_of(cell.message), place(c, cell)),
              fmt::format("accepted over SMTP at {} and not there; the story names no sender (from:), so that a report "
                          "would go to the same mailbox, which has a limit",
                          c.when(history.event(cell.added_by))),
              {cell.added_by, cell.first_absent},
              cell.message,
              ""});
      continue;
    }
    if (!renames) renames.emplace(c);
    if (const history::Event* rename = renames->took_away(cell)) {
      const history::Event& invoke = c.invoke(*rename);
      c.find(
          "lost-in-rename",
          {fmt::format("{} in {} after RENAME {} {}", c.name_of(cell.message), place(c, cell),
                       printable(invoke.mailbox), printable(invoke.other_mailbox)),
           fmt::format("RENAME by {} at {}; absent in {} complete listings of {}, the last one after the settling time",
                       c.who(invoke), c.when(invoke), cell.misses, place(c, cell)),
           {cell.last_seen, rename->index, cell.first_absent},
           cell.message,
           ""});
      continue;
    }
    const history::Event& added = history.event(after_removal ? again : cell.added_by);
    if (after_removal && cell.last_seen < again && over_smtp(c, added) &&
        (has_limit(c, cell.account) || may_still_be_tried(c, cell.account, again))) {
      c.find("perhaps-reported",
             {fmt::format("{} in {}, or a report to its sender", c.name_of(cell.message), place(c, cell)),
              fmt::format("removed, accepted once more over SMTP at {} and not there: it may be queued, or reported",
                          c.when(added)),
              {added.index, cell.last_seen, cell.first_absent},
              cell.message,
              ""});
      continue;
    }
    c.find_each("lost", cell.message, {added.index, cell.last_seen, cell.first_absent}, [&] {
      const std::string seen = cell.first_seen == 0
                                   ? std::string("never seen by anybody")
                                   : fmt::format("last seen by {} at {}", c.who(history.event(cell.last_seen)),
                                                 c.when(history.event(cell.last_seen)));
      if (cell.present > 0)
        return Words{
            fmt::format("{} copies of {} in {}: so often it was put there for certain", cell.least(),
                        c.name_of(cell.message), place(c, cell)),
            fmt::format("{} in {} complete listings, the last one after the settling time; {}", cell.present,
                        cell.misses,
                        kept->contains(cell.account) ? "this server does not suppress duplicates: another one is kept"
                                                     : "no delivery of a duplicate explains that")};
      const history::Event* mark = marked_as_deleted(c, cell).by;
      return Words{
          fmt::format("{} in {}: it was accepted{}, and nobody asked for its removal{}", c.name_of(cell.message),
                      place(c, cell), after_removal ? " once more" : "", after_removal ? " since" : ""),
          fmt::format("accepted from {} at {}; {}; absent in {} complete listings of {}, the last one after the "
                      "settling time{}{}",
                      c.who(added), c.when(added), seen, cell.misses, place(c, cell),
                      after_removal ? "; who suppresses duplicates by their Message-ID does this" : "",
                      mark == nullptr ? ""
                                      : fmt::format("; {} had marked it with \\Deleted at {}, and nobody expunged: "
                                                    "SELECT, EXAMINE and LOGOUT do not (RFC 3501 section 6.4.2)",
                                                    c.who(*mark), c.when(*mark)))};
    });
  }
}

}  // namespace mailproof::judge
