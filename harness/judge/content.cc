// I2: a message stays as it was sent, wherever and whenever it is read.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "judge/by_number.h"
#include "judge/case.h"
#include "judge/judges.h"
#include "judge/sizes.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::What;

/// "\r\n" behind the last octet that was sent, and nothing else.
bool only_ends_the_line(const Event& e, std::uint64_t sent) {
  return e.size == sent + 2 &&
         e.set == fmt::format("from octet {} on nothing more was sent, and \"\\r\\n\" came", sent);
}

/// Fields that a filter put below ours, where mail was delivered: no RFC forbids it to who delivers. What a client puts
/// into a mailbox itself is "the new message" (RFC 3501 section 6.3.11), and is that alone.
void fields_added(Case& c) {
  std::set<std::uint32_t> told;
  ByNumber<bool> delivered;
  for (const Event& e : c.history.about(What::deliver, What::message)) {
    if (e.what == What::deliver && e.message != 0) delivered[e.message] = true;
    if (e.what != What::message || e.message == 0 || e.code != "full" || !e.set.starts_with("with ")) continue;
    const auto& sent = c.history.message(e.message);
    if (e.hash != sent.hash || !told.insert(e.message).second) continue;
    c.find(delivered.contains(e.message) ? "fields-added" : "altered",
           {fmt::format("{} as sent: {} octets", sent.name(), sent.size),
            fmt::format("{} read by {} at {} has {} octets, and beside what was sent the header fields {}", sent.name(),
                        c.who(e), c.when(e), e.size, printable(std::string_view(e.set).substr(5), 400)),
            {e.index},
            e.message,
            ""});
  }
}

void altered(Case& c) {
  std::set<std::pair<std::uint32_t, std::uint64_t>> told;
  for (const Event& e : c.history.about(What::message)) {
    if (e.message == 0 || e.code != "full" || e.hash == 0) continue;
    const auto& sent = c.history.message(e.message);
    if (e.hash == sent.hash || !told.emplace(e.message, e.hash).second) continue;
    c.find(only_ends_the_line(e, sent.size) ? "line-end-added" : "altered",
           {fmt::format("{} as sent: {} octets", sent.name(), sent.size),
            fmt::format("{} read by {} at {} has {} octets and other content{}{}", sent.name(), c.who(e), c.when(e),
                        e.size, e.set.empty() ? "" : ": ", printable(e.set, 400)),
            {e.index},
            e.message,
            ""});
  }
}

/// NIL is right for a message that somebody removed meanwhile; not for one that a later complete listing has.
void withheld(Case& c) {
  std::map<std::uint32_t, std::uint32_t> uidvalidity;
  for (const Event& e : c.history.about(What::select, What::examine, What::nil)) {
    if ((e.what == What::select || e.what == What::examine) && e.type == history::Type::ok)
      uidvalidity[e.session] = e.uidvalidity;
    if (e.what != What::nil || e.uid == 0) continue;
    const std::uint32_t account = c.history.account_of(e);
    const std::uint32_t message = c.ledger.message_at(account, e.mailbox, uidvalidity[e.session], e.uid);
    const auto* cell = message == 0 ? nullptr : c.ledger.find(message, account, e.mailbox);
    if (cell == nullptr || !cell->enumerated || cell->present == 0 || cell->removes + cell->maybe_removes > 0) continue;
    c.find("nil", {fmt::format("the content of {}: nobody removed it", c.name_of(message)),
                   fmt::format("{} asked for UID {} at {} and got NIL; the audit finds the message in {}", c.who(e),
                               e.uid, c.when(e), e.mailbox),
                   {e.index, cell->last_seen},
                   message,
                   ""});
  }
}

/// A whole message that FETCH was asked for, and was answered OK without: it is there, found under that UID by the
/// audit later, or by the audit's session that asked. RFC 2180 section 4.1 lets that happen to what somebody removes;
/// who says NO (RFC 3501 section 6.4.5), or sends what cannot be read, is another finding or none.
class Brought {
 public:
  explicit Brought(Case& c) : c_(c) {}

  void apply(const Event& e) {
    if (e.session == 0 || c_.history.session(e.session).protocol != Protocol::imap) return;
    Session& at = sessions_[e.session];
    if ((e.what == What::select || e.what == What::examine) && e.type == history::Type::ok)
      at.uidvalidity = e.uidvalidity;
    if (e.what == What::deviation && e.code == kUnreadableRow) at.cannot_read = true;
    if (e.what == What::message || e.what == What::nil || e.what == What::piece)
      for (auto& [command, missing] : at.asked) e.uid == 0 ? missing.clear() : void(missing.erase(e.uid));
    if (e.what != What::fetch) return;
    if (e.type == history::Type::invoke && asks_for_all(e.text)) {
      const auto uids = history::parse_uids(e.set);
      at.asked[e.index] = {uids.begin(), uids.end()};
    }
    if (!completes(e)) return;
    const auto asked = at.asked.find(e.command);
    if (asked == at.asked.end()) return;
    if (e.type == history::Type::ok && !at.cannot_read)
      for (const std::uint32_t uid : asked->second) left_out(e, at.uidvalidity, uid);
    at.asked.erase(asked);
  }

 private:
  struct Session {
    std::uint32_t uidvalidity = 0;
    bool cannot_read = false;
    std::map<std::uint32_t, std::set<std::uint32_t>> asked;  ///< by command: UIDs of which nothing came
  };

  static bool asks_for_all(std::string_view items) {
    const std::string text = upper(items);
    return text.find("BODY.PEEK[])") != std::string::npos || text.find("BODY[])") != std::string::npos;
  }

  void left_out(const Event& e, std::uint32_t uidvalidity, std::uint32_t uid) {
    const std::uint32_t account = c_.history.account_of(e);
    const std::uint32_t message = c_.ledger.message_at(account, e.mailbox, uidvalidity, uid);
    const auto* cell = message == 0 ? nullptr : c_.ledger.find(message, account, e.mailbox);
    if (cell == nullptr || !cell->enumerated || cell->by_pop || cell->present == 0) return;
    if (cell->removes + cell->maybe_removes > 0) return;
    const auto sights = c_.sights(message);
    const auto there = std::find_if(sights.begin(), sights.end(), [&](std::uint32_t sight) {
      const Event& seen = c_.history.event(sight);
      return seen.uid == uid && seen.uidvalidity == uidvalidity && seen.mailbox == e.mailbox && c_.by_audit(seen) &&
             (seen.index > e.index || seen.session == e.session);
    });
    if (there == sights.end()) return;
    c_.find("not-given",
            {fmt::format("all of {}, or NO: nobody removed it", c_.name_of(message)),
             fmt::format("{} asked for UID {} of {} and was told OK at {}, and nothing of it came; a fresh "
                         "session finds it under that UID",
                         c_.who(e), uid, printable(e.mailbox, 100), c_.when(e)),
             {e.command, e.index, *there},
             message,
             ""});
  }

  Case& c_;
  std::map<std::uint32_t, Session> sessions_;
};

/// RETR of what LIST and TOP show is -ERR in one session after the other, and brings it in none (RFC 1939 section 5:
/// "no such message"). A response code gives another reason: not now (RFC 2449 section 8, RFC 3206), or that the client
/// cannot read it (RFC 6856 section 2.1); what somebody may remove need not come, and what the session itself has
/// marked RETR may not refer to (RFC 1939 section 5).
void refused_for_ever(Case& c) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<std::uint32_t>> refused;  // account and message
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> rows;                  // session and number
  std::set<std::pair<std::uint32_t, std::uint32_t>> brought;                              // account and message
  std::set<std::pair<std::uint32_t, std::uint32_t>> marked;  // session and number, until RSET is answered OK
  for (const Event& e : c.history.about(What::message, What::retr, What::dele, What::rset)) {
    if (e.session == 0 || c.history.session(e.session).protocol != Protocol::pop3) continue;
    if (e.what == What::message) {
      if (e.message != 0) rows[{e.session, e.seq}] = e.message;
      if (e.code == "full") brought.emplace(c.history.account_of(e), e.message);
      continue;
    }
    if (e.what == What::dele) {
      if (e.type == history::Type::invoke) marked.emplace(e.session, e.seq);
      continue;
    }
    if (e.what == What::rset) {
      if (e.type == history::Type::ok)
        marked.erase(marked.lower_bound({e.session, 0}), marked.lower_bound({e.session + 1, 0}));
      continue;
    }
    if (marked.contains({e.session, c.invoke(e).seq})) continue;
    const auto row = rows.find({e.session, c.invoke(e).seq});
    if (e.type != history::Type::fail || never_asked(e) || row == rows.end()) continue;
    if (!e.code.empty() || e.text.find('[') != std::string::npos) continue;
    refused[{c.history.account_of(e), row->second}].push_back(e.index);
  }
  for (const auto& [of, events] : refused) {
    if (brought.contains(of)) continue;
    const Event &first = c.history.event(events.front()), &last = c.history.event(events.back());
    const auto* cell = c.ledger.find(of.second, of.first, "INBOX");
    if (first.session == last.session || cell == nullptr || !cell->in_pop || cell->present_pop == 0) continue;
    if (cell->removes + cell->maybe_removes > 0) continue;
    c.find("not-given", {fmt::format("{} by RETR: it is listed, and TOP shows it", c.name_of(of.second)),
                         fmt::format("{} is told -ERR at {}, and {} at {}; nobody removed it", c.who(first),
                                     c.when(first), c.who(last), c.when(last)),
                         {first.index, last.index},
                         of.second,
                         ""});
  }
}

/// Of other people's mail nobody knows how it was sent: but under one UID, or one unique-id, it stays what it was when
/// it was first read there.
void altered_in_place(Case& c) {
  std::map<std::string, std::uint32_t> first;
  for (const Event& e : c.history.about(What::message)) {
    if (e.code != "full" || e.message == 0 || (e.uid == 0 && e.text.empty())) continue;
    if (e.uid != 0 && e.uidvalidity == 0) continue;
    const std::uint32_t account = c.history.account_of(e);
    const auto place = e.uid != 0 ? fmt::format("{} {} {} {}", account, e.uidvalidity, e.uid, e.mailbox)
                                  : fmt::format("{} {}", account, e.text);
    const auto [at, fresh] = first.try_emplace(place, e.index);
    const Event& before = c.history.event(at->second);
    // Another message in this place is another finding.
    if (fresh || before.message != e.message || before.hash == e.hash) continue;
    c.find("altered", {fmt::format("{} as {} read it at {}: {} octets", c.name_of(e.message), c.who(before),
                                   c.when(before), before.size),
                       fmt::format("{} read by {} at {} in the same place has {} octets and other content",
                                   c.name_of(e.message), c.who(e), c.when(e), e.size),
                       {before.index, e.index},
                       e.message,
                       ""});
  }
}

}  // namespace

void judge_content(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "content", out);
  if (history.info.recorded) {
    altered_in_place(c);
  } else {
    altered(c);
    fields_added(c);
    Brought brought(c);
    for (const Event& e : history.about(What::select, What::examine, What::fetch, What::message, What::nil, What::piece,
                                        What::deviation))
      brought.apply(e);
    refused_for_ever(c);
  }
  withheld(c);
  judge_sizes(c);
}

}  // namespace mailproof::judge
