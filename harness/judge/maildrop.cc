// I28: a login finds every message of the maildrop. What the listings before and after both have was there in between.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/bytes.h"
#include "history/number_map.h"
#include "judge/by_number.h"
#include "judge/case.h"
#include "judge/ids.h"
#include "judge/judges.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::Type;
using history::What;

struct Login {
  std::uint32_t session = 0, account = 0;
  std::uint32_t begin = 0, listed = 0;  ///< events: the login, the complete listing
  ByNumber<std::uint32_t> found;        ///< number of a unique-id -> event, of that listing
};

/// Every POP3 login with its first complete listing: UIDL that ended well, or a count of none.
class Logins {
 public:
  explicit Logins(const Case& c) : c_(c) {
    const auto concerned = c.history.about(What::connect, What::message, What::dele, What::pop_uidl, What::stat,
                                           What::select, What::examine, What::store, What::row);
    for (const Event& e : concerned)
      if (e.session != 0 && c.history.session(e.session).protocol == Protocol::pop3)
        apply(e);
      else if (e.session != 0)
        imap(e);
    for (auto& [session, login] : open_)
      if (login.listed != 0) all_[login.account].push_back(std::move(login));
  }

  /// By account, in the order they began.
  const std::map<std::uint32_t, std::vector<Login>>& all() const { return all_; }
  /// Whether IMAP ever marked it, or showed it marked. A mark that is taken back may have hidden it meanwhile.
  bool ever_marked(std::uint32_t account, std::uint32_t message) const { return marked_.contains({account, message}); }
  /// The one that this account had under a unique-id; 0 = nobody looked.
  std::uint32_t message(std::uint32_t account, std::uint32_t id) const { return messages_.get(key(account, id)); }
  const Ids& ids() const { return ids_; }

 private:
  void imap(const Event& e) {
    if ((e.what == What::select || e.what == What::examine) && e.type == Type::ok)
      uidvalidity_[e.session] = iequals(c_.invoke(e).mailbox, "INBOX") ? e.uidvalidity : 0;
    const bool asked = e.what == What::store && e.type == Type::invoke;
    if ((!asked && e.what != What::row) || e.flags.empty() || lower(e.flags).find("\\deleted") == std::string::npos)
      return;
    const std::uint32_t account = c_.history.session(e.session).account, validity = uidvalidity_[e.session];
    if (validity == 0) return;
    for (const std::uint32_t uid : asked ? history::parse_uids(e.set) : std::vector{e.uid})
      marked_.emplace(account, c_.ledger.message_at(account, "INBOX", validity, uid));
  }

  void apply(const Event& e) {
    if (e.what == What::connect && e.type == Type::ok) {
      open_[e.session] = {e.session, c_.history.session(e.session).account, e.index, 0, {}};
      return;
    }
    const auto at = open_.find(e.session);
    if (at == open_.end()) return;
    Login& login = at->second;
    if (e.what == What::message && e.message != 0 && !e.text.empty())
      messages_.set(key(login.account, ids_.number(e.text)), e.message);
    if (login.listed != 0) return;
    if (e.what == What::dele) open_.erase(at);  // what it has marked a listing leaves out
    if (e.what == What::pop_uidl && e.type == Type::obs) found(login, e);
    const bool none = e.what == What::stat && e.type == Type::ok && e.get<history::CountFacts>().messages == 0;
    if (none || (e.what == What::pop_uidl && e.type == Type::ok)) login.listed = e.index;
  }

  void found(Login& login, const Event& e) {
    if (const auto [event, fresh] = login.found.place(ids_.number(e.text)); fresh) event = e.index;
  }
  static std::uint64_t key(std::uint32_t account, std::uint32_t id) { return std::uint64_t{account} << 32U | id; }

  const Case& c_;
  std::map<std::uint32_t, Login> open_;  ///< by session
  std::map<std::uint32_t, std::vector<Login>> all_;
  Ids ids_;
  history::NumberMap messages_;
  std::map<std::uint32_t, std::uint32_t> uidvalidity_;        ///< of INBOX, by IMAP session
  std::set<std::pair<std::uint32_t, std::uint32_t>> marked_;  ///< account, message
};

/// Put there once and never taken away: it has been there ever since. What IMAP marks as deleted POP3 may hide.
bool stays(const Case& c, const Logins& logins, std::uint32_t message, std::uint32_t account) {
  const auto* cell =
      message == 0 || logins.ever_marked(account, message) ? nullptr : c.ledger.find(message, account, "INBOX");
  return cell != nullptr && cell->adds + cell->maybe_adds == 1 && cell->removes + cell->maybe_removes == 0 &&
         cell->marked_by == 0;
}

}  // namespace

void judge_maildrop(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "maildrop", out);
  const Logins logins(c);
  struct Seen {
    std::uint32_t before = 0, after = 0;  ///< events, of other logins
  };
  for (const auto& [account, all] : logins.all()) {
    for (const Login& login : all) {
      std::vector<Seen> around(logins.ids().size() + std::size_t{1});
      for (const Login& other : all)
        other.found.for_each([&](std::uint32_t id, std::uint32_t event) {
          if (event < login.begin) around[id].before = event;
          if (other.begin > login.listed && around[id].after == 0) around[id].after = event;
        });
      std::size_t there = 0;
      std::vector<std::uint32_t> missing;
      for (std::uint32_t id = 1; id < around.size(); ++id) {
        const Seen& seen = around[id];
        if (seen.before == 0 || seen.after == 0 || !stays(c, logins, logins.message(account, id), account)) continue;
        ++there;
        if (!login.found.contains(id)) missing.push_back(id);
      }
      std::sort(missing.begin(), missing.end(),
                [&](auto one, auto other) { return logins.ids().text(one) < logins.ids().text(other); });
      const Event& listed = history.event(login.listed);
      for (const std::uint32_t id : missing)
        c.find("not-listed", {fmt::format("{} of {} messages that were there before and after", there, there),
                              fmt::format("{} at {}: this login saw {} of {} messages that were there before and after",
                                          c.who(listed), c.when(listed), there - missing.size(), there),
                              {around[id].before, login.listed, around[id].after},
                              logins.message(account, id),
                              ""});
    }
  }
}

}  // namespace mailproof::judge
