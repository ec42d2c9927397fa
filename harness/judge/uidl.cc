// I30: a unique-id is well formed, unique in a maildrop, stays, and is not used again for another message.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "core/bytes.h"
#include "history/number_map.h"
#include "judge/by_number.h"
#include "judge/came_later.h"
#include "judge/case.h"
#include "judge/ids.h"
#include "judge/judges.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::Type;
using history::What;

bool well_formed(std::string_view id) {
  return !id.empty() && id.size() <= 70 &&
         std::all_of(id.begin(), id.end(), [](char ch) { return ch >= 0x21 && ch <= 0x7e; });
}

struct Row {
  std::uint32_t id = 0;  ///< number of the unique-id; 0 = none
  std::uint32_t event = 0, message = 0;
  std::uint64_t octets = 0;  ///< as LIST says
};
using Session = ByNumber<Row>;
using Rows = history::PagedMap<const Row*>;  ///< by account, and message or number of a unique-id

/// How often a listing has each message: never, once, or more often.
using Times = history::PagedMap<std::uint8_t>;

Times times(const Session& rows) {
  Times out;
  rows.for_each([&](std::uint32_t, const Row& row) {
    if (std::uint8_t& of = out[row.message]; of < 2) ++of;
  });
  return out;
}

std::string_view id_of(const Case& c, const Row& row) { return c.history.event(row.event).text; }

/// Only one copy of it was ever put there, and the listing has one: then one unique-id is all it can have had.
bool single(const Case& c, std::uint32_t message, std::uint32_t account, const Times& listed) {
  const auto* cell = c.ledger.find(message, account, "INBOX");
  return cell != nullptr && cell->adds + cell->maybe_adds == 1 && *listed.find(message) == 1;
}

/// RFC 1939 section 7: an id should not be used again "for as long as the entity using the unique-id exists". A client
/// may have removed it by then.
bool perhaps_gone(const Case& c, const Row& owner, std::uint32_t by) {
  if (c.history.info.recorded && !c.history.info.all_clients) return true;
  const auto* cell = c.ledger.find(owner.message, c.history.account_of(c.history.event(owner.event)), "INBOX");
  return cell != nullptr && cell->removes + cell->maybe_removes > 0 && cell->removed_by < by;
}

/// One of ours that was put there once has no identical copy there, unless an MTA handed it over again (RFC 1047).
bool put_once(const Case& c, std::uint32_t message, std::uint32_t account) {
  if (message == 0 || c.history.info.recorded) return false;
  const auto* cell = c.ledger.find(message, account, "INBOX");
  for (const history::Attempt& attempt : c.ledger.attempts_of(message))
    if (attempt.account == account && over_smtp(c, c.history.event(attempt.event))) return false;
  return cell != nullptr && cell->adds + cell->maybe_adds == 1;
}

void unique(Case& c, const Session& rows, std::uint32_t account) {
  Rows seen;
  rows.for_each([&](std::uint32_t, const Row& row) {
    if (row.id == 0) return;
    const Row*& first = seen[row.id];
    if (first == nullptr) first = &row;
    // RFC 1939 section 7 lets two identical copies have one unique-id.
    if (first == &row || (row.message != 0 && c.may_be_one(row.message, first->message))) return;
    // Of what nobody read the sizes tell whether one may be the other.
    const bool read = row.message != 0 && first->message != 0;
    const bool sized = row.octets != 0 && first->octets != 0 && row.octets != first->octets;
    const std::uint32_t known = row.message != 0      ? row.message
                                : first->message != 0 ? first->message
                                                      : c.ledger.message_with_uidl(account, id_of(c, row));
    if (!read && !sized && !put_once(c, known, account)) return;  // they may be identical
    c.find("not-unique",
           {fmt::format("one message for the unique-id {}", printable(id_of(c, row), 80)),
            fmt::format("the listing gives it to {} and to {}", c.name_of(first->message), c.name_of(row.message)),
            {first->event, row.event},
            row.message,
            ""});
  });
}

}  // namespace

void judge_uidl(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "uidl", out);
  Ids ids;
  const auto number = [&](const std::string& id) { return id.empty() ? 0 : ids.number(id); };
  std::map<std::uint32_t, Session> sessions;
  for (const Event& e : history.about(What::pop_list, What::pop_uidl, What::message)) {
    if (e.session == 0 || history.session(e.session).protocol != Protocol::pop3 || e.seq == 0) continue;
    if (e.what == What::pop_list && e.type == Type::obs) {
      sessions[e.session][e.seq].octets = e.size;
    } else if (e.what == What::pop_uidl && e.type == Type::obs) {
      if (!well_formed(e.text))
        c.find("format", {"1 to 70 characters from 0x21 to 0x7E",
                          fmt::format("{} characters: \"{}\"", e.text.size(), printable(e.text, 100)),
                          {e.index},
                          0,
                          ""});
      Row& row = sessions[e.session][e.seq];
      if (row.event == 0) row = {number(e.text), e.index, row.message, row.octets};
    } else if (e.what == What::message && e.message != 0) {
      Row& row = sessions[e.session][e.seq];
      if (row.message == 0) row.message = e.message;  // what it is later called is the numbering's affair
      if (row.event == 0) row = {number(e.text), e.index, e.message, row.octets};
    }
  }

  // A row without a unique-id is no row at all: nothing of it was kept.
  for (const Event& e : history.about(What::deviation))
    if (e.code == "pop3.uidl.malformed")
      c.find("format", {"a number, a space, and 1 to 70 characters from 0x21 to 0x7E",
                        fmt::format("{} at {}: \"{}\"", c.who(e), c.when(e), printable(e.text, 100)),
                        {e.index},
                        0,
                        ""});

  Rows of_message, of_id;
  for (const auto& [session, rows] : sessions) {
    const std::uint64_t account = history.session(session).account;
    unique(c, rows, history.session(session).account);
    const Times listed = times(rows);
    rows.for_each([&](std::uint32_t, const Row& row) {
      if (row.message == 0 || row.id == 0) return;
      const Row*& known = of_message[account << 32U | row.message];
      if (known == nullptr) known = &row;
      if (known->id != row.id && !history.info.recorded &&
          single(c, row.message, static_cast<std::uint32_t>(account), listed)) {
        c.find("changed",
               {fmt::format("{} keeps the unique-id {}", c.name_of(row.message), printable(id_of(c, *known), 80)),
                fmt::format("{} is told {} at {}", c.who(history.event(row.event)), printable(id_of(c, row), 80),
                            c.when(history.event(row.event))),
                {known->event, row.event},
                row.message,
                ""});
        known = &row;
      }
      const Row*& owner = of_id[account << 32U | row.id];
      if (owner == nullptr) owner = &row;
      const bool same_listing = history.event(owner->event).session == history.event(row.event).session;
      if (owner != &row && !same_listing && !c.may_be_one(owner->message, row.message))
        c.find(
            perhaps_gone(c, *owner, row.event) ? "reused-later" : "reused",
            {fmt::format("the unique-id {} is {}'s for ever", printable(id_of(c, row), 80), c.name_of(owner->message)),
             fmt::format("{} finds {} under it at {}", c.who(history.event(row.event)), c.name_of(row.message),
                         c.when(history.event(row.event))),
             {owner->event, row.event},
             row.message,
             ""});
    });
  }
}

}  // namespace mailproof::judge
