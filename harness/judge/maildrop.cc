// I28: a login finds every message of the maildrop. What the listings before and after both have was there in between.
#include <fmt/format.h>

#include <map>
#include <set>

#include "core/bytes.h"
#include "judge/case.h"
#include "judge/judges.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::Type;
using history::What;

struct Login {
  std::uint32_t session = 0, account = 0;
  std::uint32_t begin = 0, listed = 0;         ///< events: the login, the complete listing
  std::map<std::string, std::uint32_t> found;  ///< unique-id -> event, of that listing
};

/// Every POP3 login with its first complete listing: UIDL that ended well, or a count of none.
class Logins {
 public:
  explicit Logins(const Case& c) : c_(c) {
    for (const Event& e : c.history.events())
      if (e.session != 0 && c.history.session(e.session).protocol == Protocol::pop3)
        apply(e);
      else if (e.session != 0)
        imap(e);
    for (auto& [session, login] : open_)
      if (login.listed != 0) all_[login.account].push_back(login);
  }

  /// By account, in the order they began.
  const std::map<std::uint32_t, std::vector<Login>>& all() const { return all_; }
  /// Whether IMAP ever marked it, or showed it marked. A mark that is taken back may have hidden it meanwhile.
  bool ever_marked(std::uint32_t account, std::uint32_t message) const { return marked_.contains({account, message}); }
  std::uint32_t message(std::uint32_t account, const std::string& id) const {
    const auto known = messages_.find({account, id});
    return known == messages_.end() ? 0 : known->second;
  }

 private:
  void imap(const Event& e) {
    if ((e.what == What::select || e.what == What::examine) && e.type == Type::ok)
      uidvalidity_[e.session] = iequals(c_.invoke(e).mailbox, "INBOX") ? e.uidvalidity : 0;
    const bool asked = e.what == What::store && e.type == Type::invoke;
    if ((!asked && e.what != What::row) || lower(e.flags).find("\\deleted") == std::string::npos) return;
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
    if (e.what == What::message && e.message != 0 && !e.text.empty()) messages_[{login.account, e.text}] = e.message;
    if (login.listed != 0) return;
    if (e.what == What::dele) open_.erase(at);  // what it has marked a listing leaves out
    if (e.what == What::pop_uidl && e.type == Type::obs) login.found.try_emplace(e.text, e.index);
    const bool none = e.what == What::stat && e.type == Type::ok && e.get<history::CountFacts>().messages == 0;
    if (none || (e.what == What::pop_uidl && e.type == Type::ok)) login.listed = e.index;
  }

  const Case& c_;
  std::map<std::uint32_t, Login> open_;  ///< by session
  std::map<std::uint32_t, std::vector<Login>> all_;
  std::map<std::pair<std::uint32_t, std::string>, std::uint32_t> messages_;
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
  for (const auto& [account, all] : logins.all()) {
    for (const Login& login : all) {
      std::map<std::string, std::pair<std::uint32_t, std::uint32_t>> around;  // unique-id -> seen before, and after
      for (const Login& other : all)
        for (const auto& [id, event] : other.found) {
          if (event < login.begin) around[id].first = event;
          if (other.begin > login.listed && around[id].second == 0) around[id].second = event;
        }
      std::size_t there = 0, missing = 0;
      for (const auto& [id, seen] : around) {
        if (seen.first == 0 || seen.second == 0 || !stays(c, logins, logins.message(account, id), account)) continue;
        ++there;
        missing += login.found.contains(id) ? 0 : 1;
      }
      if (missing == 0) continue;
      const Event& listed = history.event(login.listed);
      for (const auto& [id, seen] : around) {
        const std::uint32_t message = logins.message(account, id);
        if (seen.first == 0 || seen.second == 0 || login.found.contains(id) || !stays(c, logins, message, account))
          continue;
        c.find("not-listed", {fmt::format("{} of {} messages that were there before and after", there, there),
                              fmt::format("{} at {}: this login saw {} of {} messages that were there before and after",
                                          c.who(listed), c.when(listed), there - missing, there),
                              {seen.first, login.listed, seen.second},
                              message,
                              ""});
      }
    }
  }
}

}  // namespace mailproof::judge
