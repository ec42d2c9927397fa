// I6, I15 for maildrops that others used: heard.cc has it for IMAP's mailboxes.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>

#include "core/bytes.h"
#include "history/flags.h"
#include "judge/heard.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::Type;
using history::What;

/// Maildrops, by unique-id.
class Pop3Heard {
 public:
  explicit Pop3Heard(Case& c) : c_(c), all_(heard_all(c.history)) {}

  void apply(const Event& e) {
    if (e.session == 0) return;
    const std::uint32_t account = c_.history.account_of(e);
    const auto& session = c_.history.session(e.session);
    if (session.protocol == Protocol::imap) {
      const bool removes = e.what == What::move || e.what == What::expunge || e.what == What::close ||
                           e.what == What::remove || e.what == What::rename;
      // POP3 may hide what IMAP has marked, as Courier's does.
      const bool marks = (e.what == What::store || e.what == What::row) && history::has_deleted(e.flags);
      if (marks || (removes && (e.type == Type::invoke || completes(e)))) over_imap_[account] = e.at;
      return;
    }
    if (session.protocol != Protocol::pop3) return;
    Login& login = logins_[e.session];
    switch (e.what) {
      case What::connect:
        if (e.type != Type::ok) break;
        login.ready = e.index;
        login.since = e.at - Duration(static_cast<std::int64_t>(e.size));
        break;
      case What::pop_uidl:
        if (e.type == Type::obs) login.ids[e.seq] = e.text;
        if (e.type == Type::ok && c_.invoke(e).seq == 0) listed(account, login, e);
        break;
      case What::retr:
        if (e.type == Type::invoke) touch(account, login, e.seq).retrieved = e.index;
        break;
      case What::message:
        if (const auto id = login.ids.find(e.seq); id != login.ids.end() && e.message != 0)
          mail_[account][id->second].message = e.message;
        break;
      case What::dele:
        if (e.type == Type::invoke) touch(account, login, e.seq).asked = e.index;
        if (e.type == Type::ok) login.marked[c_.invoke(e).seq] = e.index;
        break;
      case What::rset:
        if (e.type == Type::ok) login.marked.clear();
        break;
      case What::quit:
        if (e.type == Type::ok)
          for (const auto& [number, mark] : login.marked) quit(account, login, number, mark, e);
        login.quit = true;
        break;
      case What::end:
        if (!login.quit)
          for (const auto& [number, mark] : login.marked) touch(account, login, number).dropped = e.index;
        break;
      default:
        break;
    }
  }

 private:
  struct Login {
    std::uint32_t ready = 0;  ///< the event; 0 = its login was not heard
    Time since{};             ///< its first octet: what was answered before that, the server had done
    bool quit = false;
    std::map<std::uint32_t, std::string> ids;       ///< by number
    std::map<std::uint32_t, std::uint32_t> marked;  ///< number -> DELE that was answered OK
  };
  struct Mail {
    std::uint32_t seen = 0, asked = 0, retrieved = 0;
    Time listed_since{};  ///< when the session began that listed it last: it has the maildrop as it was then
    std::uint32_t marked = 0, removed = 0;  ///< DELE and QUIT, both OK
    std::uint32_t dropped = 0;              ///< marked by a session that ended without QUIT
    std::uint32_t message = 0;              ///< once somebody read it
    bool gone = false;
  };

  Mail& touch(std::uint32_t account, const Login& login, std::uint32_t number) {
    const auto id = login.ids.find(number);
    if (id != login.ids.end()) return mail_[account][id->second];
    nameless_.insert(account);  // something was asked of a message of which nobody said which it is
    return none_;
  }

  void quit(std::uint32_t account, const Login& login, std::uint32_t number, std::uint32_t mark, const Event& e) {
    const auto id = login.ids.find(number);
    if (id == login.ids.end()) return;
    const auto same = std::count_if(login.ids.begin(), login.ids.end(),
                                    [&](const auto& other) { return other.second == id->second; });
    if (same > 1) return;  // RFC 1939 section 7 lets identical messages have one unique-id
    Mail& mail = mail_[account][id->second];
    mail.marked = mark;
    mail.removed = e.index;
  }

  void listed(std::uint32_t account, const Login& login, const Event& e) {
    if (login.ready == 0) return;
    std::set<std::string_view> there;
    for (const auto& [number, id] : login.ids) {
      there.insert(id);
      Mail& mail = mail_[account][id];
      if (mail.removed != 0 && c_.history.event(mail.removed).at < login.since) {
        c_.find("quit-ok-but-there",
                {fmt::format("the message with the unique-id {} is gone", printable(id, 80)),
                 fmt::format("{} marked it and was told OK to QUIT at {}; {} logged in after that, and lists it at {}",
                             c_.who(c_.history.event(mail.removed)), c_.when(c_.history.event(mail.removed)), c_.who(e),
                             c_.when(e)),
                 {mail.marked, mail.removed, e.index},
                 mail.message,
                 ""});
        mail.removed = 0;
      }
      mail.seen = e.index;
      mail.listed_since = login.since;
    }
    if (!all_ || !login.marked.empty()) return;
    for (auto& [id, mail] : mail_[account]) {
      if (mail.seen == 0 || mail.seen > login.ready || mail.gone || there.contains(id)) continue;
      mail.gone = true;
      missing(account, id, mail, e);
    }
  }

  void missing(std::uint32_t account, const std::string& id, const Mail& mail, const Event& e) {
    const auto over_imap = over_imap_.find(account);
    const bool expunged = over_imap != over_imap_.end() && over_imap->second >= mail.listed_since;
    const bool others = expunged || nameless_.contains(account) || mail.removed != 0;
    if (others) return;
    const std::string expected = fmt::format("the unique-id {} is listed", printable(id, 80));
    if (mail.dropped != 0)
      c_.find("without-quit",
              {expected + ": the session that marked it ended without QUIT",
               fmt::format("{} at {} has a complete listing without it; {} ended at {}", c_.who(e), c_.when(e),
                           c_.who(c_.history.event(mail.dropped)), c_.when(c_.history.event(mail.dropped))),
               {mail.asked, mail.dropped, e.index},
               mail.message,
               ""});
    else if (mail.asked == 0 && mail.retrieved == 0)
      c_.find("unasked",
              {expected + ": nobody deleted it",
               fmt::format("{} at {} has a complete listing without it; it was last listed by {} at {}", c_.who(e),
                           c_.when(e), c_.who(c_.history.event(mail.seen)), c_.when(c_.history.event(mail.seen))),
               {mail.seen, e.index},
               mail.message,
               ""});
  }

  Case& c_;
  bool all_;
  std::map<std::uint32_t, Login> logins_;                      ///< by session
  std::map<std::uint32_t, std::map<std::string, Mail>> mail_;  ///< by account and unique-id
  std::map<std::uint32_t, Time> over_imap_;  ///< by account: when something was removed, or may have been, last
  std::set<std::uint32_t> nameless_;         ///< accounts
  Mail none_;
};

}  // namespace

void judge_heard_maildrops(Case& c) {
  Pop3Heard pop3(c);
  for (const Event& e : c.history.events()) pop3.apply(e);
}

}  // namespace mailproof::judge
