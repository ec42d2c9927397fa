// I32: a session has the maildrop for itself, or a snapshot of its own; and the lock goes with the session.
#include <fmt/format.h>

#include <chrono>
#include <map>
#include <optional>
#include <set>

#include "core/bytes.h"
#include "history/not_now.h"
#include "judge/by_number.h"
#include "judge/case.h"
#include "judge/judges.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::Type;
using history::What;

struct Span {
  std::uint32_t session = 0, account = 0;
  std::size_t place = 0;  ///< the how many-eth to begin
  Time from{}, to{};
  bool ready = false, over = false;
  ByNumber<std::uint32_t> told;    ///< numbers; the event that tells the unique-id, or 0
  std::set<std::uint32_t> marked;  ///< numbers
  bool quit = false;               ///< which may have removed them
};

struct Lock {
  Case& c;
  std::map<std::uint32_t, Span> spans;  ///< by session
  struct Account {
    std::size_t holders = 0;            ///< sessions that are ready and not over
    std::optional<Time> given_back;     ///< when the last of the others ended
    std::set<std::uint32_t> in_inbox;   ///< IMAP sessions that have it open
    std::optional<Time> refused_since;  ///< ... and nobody had it, nor was anything delivered, since then
    std::vector<const Span*> removers;  ///< over, and they had marked something; in the order of their ends
  };
  std::map<std::uint32_t, Account> accounts;

  Span& span(const Event& e) {
    if (const auto known = spans.find(e.session); known != spans.end()) return known->second;
    const std::uint32_t account = c.history.session(e.session).account;
    return spans.try_emplace(e.session, Span{e.session, account, spans.size(), e.at, e.at, false, false, {}, {}, false})
        .first->second;
  }

  /// Who else had the maildrop since this session asked for it, or so shortly before that the server may not have
  /// noticed the end? RFC 1939 section 4 gives the refusal no deadline. A session that is refused has none itself.
  bool held_by_another(const Span& mine) {
    const Account& at = accounts[mine.account];
    return at.holders > 0 || (at.given_back && mine.from - *at.given_back <= c.history.info.settle);
  }

  void ready(Span& s, const Event& e) {
    if (!s.ready && !s.over) ++accounts[s.account].holders;
    s.ready = true;
    s.from = e.at;
    accounts[s.account].refused_since.reset();
  }

  void over(Span& s, const Event& e) {
    const bool first = !s.over;
    s.over = true;
    s.to = e.at;
    if (!first || !s.ready) return;
    Account& at = accounts[s.account];
    --at.holders;
    at.given_back = e.at;
    if (!s.marked.empty() && s.quit) at.removers.push_back(&s);
  }

  /// Who it was that had it nobody may know: RFC 2449 section 8.1.2 says "probably" another POP3 session. So the lock
  /// is stale only where it outlasts the settling time: since a session had it that was seen to end, or since the first
  /// refusal. Who asks once a second may be off by that.
  void refused(const Span& mine, const Event& e) {
    if (!history::pop3_says_in_use(e.text)) return;
    Account& at = accounts[mine.account];
    if (at.holders > 0 || !at.in_inbox.empty()) return at.refused_since.reset();
    if (!at.refused_since) at.refused_since = mine.from;
    if (held_by_another(mine)) return;
    const Duration settle = c.history.info.settle;
    const bool kept = at.given_back && *at.refused_since - *at.given_back <= settle;
    if (!kept && e.at - *at.refused_since + std::chrono::seconds(1) < settle) return;
    c.find("stale-lock", {fmt::format("{}'s maildrop is free: no session has had it for {}", c.account(mine.account),
                                      format_duration(c.history.info.settle)),
                          fmt::format("{} is still refused at {}: {}", c.who(e), c.when(e), printable(e.text, 160)),
                          {e.index},
                          0,
                          ""});
  }

  /// Whether an IMAP client may have removed what has this unique-id: no POP3 session did it then.
  bool over_imap(std::uint32_t account, std::uint32_t uidl) const {
    const std::uint32_t message = uidl == 0 ? 0 : c.ledger.message_with_uidl(account, c.history.event(uidl).text);
    const auto* cell = message == 0 ? nullptr : c.ledger.find(message, account, "INBOX");
    return cell != nullptr && (cell->removed_over & 1) != 0;
  }

  /// A listed message stays readable until this session itself marks it, whatever another POP3 session does.
  void unreadable(const Span& mine, const Event& e) {
    const std::uint32_t number = c.invoke(e).seq;
    if (never_asked(e) || history::pop3_says_not_now(e.code, e.text) || mine.marked.contains(number)) return;
    const std::uint32_t* uidl = mine.told.find(number);
    if (uidl == nullptr || over_imap(mine.account, *uidl)) return;
    const auto& removers = accounts[mine.account].removers;
    const Span* by = nullptr;  // of those that ended since this one is ready, the first that began
    for (auto s = removers.rbegin(); s != removers.rend() && (*s)->to > mine.from; ++s)
      if (*s != &mine && (by == nullptr || (*s)->place < by->place)) by = *s;
    if (by == nullptr) return;
    c.find("snapshot-broken", {fmt::format("number {} of {} stays readable in this session", number,
                                           c.history.session(mine.session).label),
                               fmt::format("{} fails at {}, after {} removed messages: {}", history::name(e.what),
                                           c.when(e), c.history.session(by->session).label, printable(e.text, 120)),
                               {e.command, e.index},
                               e.message,
                               ""});
  }

  /// What else may have the mailbox for a while: an IMAP session, or who delivers into it.
  void beside(const Event& e) {
    if (e.what == What::deliver && completes(e)) accounts[e.account].refused_since.reset();
    if (e.session == 0 || c.history.session(e.session).protocol != Protocol::imap) return;
    const bool opens = (e.what == What::select || e.what == What::examine) && completes(e);
    if (!opens && e.what != What::unselect && e.what != What::close && e.what != What::end) return;
    Account& at = accounts[c.history.session(e.session).account];
    if (at.in_inbox.erase(e.session) != 0) at.refused_since.reset();
    if (opens && e.type == Type::ok && iequals(c.invoke(e).mailbox, "INBOX")) at.in_inbox.insert(e.session);
  }

  void apply(const Event& e) {
    if (e.session == 0 || c.history.session(e.session).protocol != Protocol::pop3) return beside(e);
    Span& s = span(e);
    const std::uint32_t number = c.invoke(e).seq;
    switch (e.what) {
      case What::connect:
        if (e.type == Type::ok) ready(s, e);
        if (e.type == Type::fail) refused(s, e);
        break;
      case What::pop_list:
      case What::pop_uidl:
        if (std::uint32_t* told = e.type == Type::obs ? &s.told[e.seq] : nullptr; told != nullptr && *told == 0)
          *told = e.what == What::pop_uidl ? e.index : 0;
        break;
      case What::dele:
        if (e.type == Type::ok || e.type == Type::info) s.marked.insert(number);
        break;
      case What::retr:
      case What::top:
        if (e.type == Type::fail) unreadable(s, e);
        break;
      case What::quit:
        s.quit |= e.type == Type::ok || e.type == Type::info;
        break;
      case What::end:
        over(s, e);
        break;
      default:
        break;
    }
  }
};

}  // namespace

void judge_maildrop_lock(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "maildrop-lock", out);
  Lock lock{c, {}, {}};
  const auto concerned =
      history.where([](history::Kind kind) { return kind.what != What::row && kind.what != What::message; });
  for (const Event& e : concerned) lock.apply(e);
}

}  // namespace mailproof::judge
