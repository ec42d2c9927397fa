// I30: a unique-id is well formed, unique in a maildrop, stays, and is never used again for another message.
#include <fmt/format.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <map>
#include <string_view>
#include <utility>

#include "core/bytes.h"
#include "judge/by_number.h"
#include "judge/case.h"
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
  std::string_view id;  ///< in its event
  std::uint32_t event = 0, message = 0;
  std::uint64_t octets = 0;  ///< as LIST says
};
using Session = ByNumber<Row>;

using Messages = boost::unordered_flat_set<std::uint32_t>;

/// Messages that a listing has once.
Messages once(const Session& rows) {
  Messages out, more;
  rows.for_each([&](std::uint32_t, const Row& row) {
    if (!out.insert(row.message).second) more.insert(row.message);
  });
  for (const std::uint32_t message : more) out.erase(message);
  return out;
}

/// Only one copy of it was ever put there, and the listing has one: then one unique-id is all it can have had.
bool single(const Case& c, std::uint32_t message, std::uint32_t account, const Messages& listed_once) {
  const auto* cell = c.ledger.find(message, account, "INBOX");
  return cell != nullptr && cell->adds + cell->maybe_adds == 1 && listed_once.contains(message);
}

void unique(Case& c, const Session& rows) {
  boost::unordered_flat_map<std::string_view, const Row*> seen;
  rows.for_each([&](std::uint32_t, const Row& row) {
    if (row.id.empty()) return;
    const auto [at, fresh] = seen.try_emplace(row.id, &row);
    // RFC 1939 section 7 lets two identical copies have one unique-id.
    if (fresh || (row.message != 0 && c.may_be_one(row.message, at->second->message))) return;
    // Of what nobody read the sizes tell whether one may be the other.
    const bool read = row.message != 0 && at->second->message != 0;
    const bool sized = row.octets != 0 && at->second->octets != 0 && row.octets != at->second->octets;
    if (c.history.info.recorded && !read && !sized) return;
    c.find("not-unique",
           {fmt::format("one message for the unique-id {}", printable(row.id, 80)),
            fmt::format("the listing gives it to {} and to {}", c.name_of(at->second->message), c.name_of(row.message)),
            {at->second->event, row.event},
            row.message,
            ""});
  });
}

}  // namespace

void judge_uidl(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "uidl", out);
  std::map<std::uint32_t, Session> sessions;
  for (const Event& e : history.events()) {
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
      if (row.event == 0) row = {e.text, e.index, row.message, row.octets};
    } else if (e.what == What::message && e.message != 0) {
      Row& row = sessions[e.session][e.seq];
      if (row.message == 0) row.message = e.message;  // what it is later called is the numbering's affair
      if (row.event == 0) row = {e.text, e.index, e.message, row.octets};
    }
  }

  boost::unordered_flat_map<std::pair<std::uint32_t, std::uint32_t>, const Row*> of_message;  // account, message
  boost::unordered_flat_map<std::pair<std::uint32_t, std::string_view>, const Row*> of_id;    // account, unique-id
  for (const auto& [number, rows] : sessions) {
    unique(c, rows);
    const std::uint32_t account = history.session(number).account;
    const auto listed_once = once(rows);
    rows.for_each([&](std::uint32_t, const Row& row) {
      if (row.message == 0 || row.id.empty()) return;
      const auto [known, fresh] = of_message.try_emplace({account, row.message}, &row);
      if (!fresh && known->second->id != row.id && !history.info.recorded &&
          single(c, row.message, account, listed_once)) {
        c.find("changed",
               {fmt::format("{} keeps the unique-id {}", c.name_of(row.message), printable(known->second->id, 80)),
                fmt::format("{} is told {} at {}", c.who(history.event(row.event)), printable(row.id, 80),
                            c.when(history.event(row.event))),
                {known->second->event, row.event},
                row.message,
                ""});
        known->second = &row;
      }
      const auto [owner, first] = of_id.try_emplace({account, row.id}, &row);
      const bool same_listing =
          !first && history.event(owner->second->event).session == history.event(row.event).session;
      if (!first && !same_listing && !c.may_be_one(owner->second->message, row.message))
        c.find("reused", {fmt::format("the unique-id {} is {}'s for ever", printable(row.id, 80),
                                      c.name_of(owner->second->message)),
                          fmt::format("{} finds {} under it at {}", c.who(history.event(row.event)),
                                      c.name_of(row.message), c.when(history.event(row.event))),
                          {owner->second->event, row.event},
                          row.message,
                          ""});
    });
  }
}

}  // namespace mailproof::judge
