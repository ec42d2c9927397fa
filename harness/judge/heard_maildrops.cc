// I6, I15 for maildrops that others used: heard.cc has it for IMAP's mailboxes.
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>

#include "core/bytes.h"
#include "history/flags.h"
#include "history/heard.h"
#include "judge/heard.h"
#include "judge/heard_people.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::Type;
using history::What;

/// Maildrops, by unique-id.
class Pop3Heard {
 public:
  explicit Pop3Heard(Case& c)
      : c_(c),
        people_(c.history),
        clocks_(c.history),
        refused_(refused_removals(c.history)),
        all_(heard_all(c.history)) {}

  void apply(const Event& e) {
    if (e.session == 0) return;
    if (!suspects_.empty() && suspects_.front().until < e.at) accuse(e.at);
    const std::uint32_t account = c_.history.account_of(e);
    const auto& session = c_.history.session(e.session);
    if (session.protocol == Protocol::imap) {
      const bool removes = e.what == What::move || e.what == What::expunge || e.what == What::close ||
                           e.what == What::remove || e.what == What::rename ||
                           (e.what == What::observed && e.code == history::kUnknownCommand);
      // POP3 may hide what IMAP has marked, as Courier's does.
      const bool marks = (e.what == What::store || e.what == What::row) && history::has_deleted(e.flags);
      if (marks ||
          (removes && !refused_.contains(e.index) && (e.type == Type::invoke || e.type == Type::obs || completes(e))))
        over_imap_[people_.of(account)] = e.at;
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
      case What::stat:
        // No client asks an empty maildrop for its unique-ids.
        if (e.type == Type::ok && e.get<history::CountFacts>().messages == 0 && login.ids.empty())
          listed(account, login, e);
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
    std::uint32_t gone = 0;                 ///< the first listing without it
  };

  /// Of what seems to have gone unasked.
  struct Suspect {
    Time until;  ///< what is asked up to then may have been asked before
    std::uint32_t account = 0;
    std::string id;
    std::uint32_t seen = 0, listing = 0;  ///< events: the last listing with it, and the first without it
    Time listed_since{};
  };

  Mail& touch(std::uint32_t account, const Login& login, std::uint32_t number) {
    const auto id = login.ids.find(number);
    if (id != login.ids.end()) return mail_[account][id->second];
    nameless_.insert(people_.of(account));  // something was asked of a message of which nobody said which it is
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
      if (mail.removed != 0 && c_.history.event(mail.removed).at + clocks_.between() < login.since) {
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
      mail.gone = 0;  // what was made of that, has what it needs
      mail.listed_since = login.since;
    }
    if (!login.marked.empty()) return;
    const bool accuses = all_ && people_.of(account) != People::kNobodyKnows;
    for (auto& [id, mail] : mail_[account]) {
      if (mail.seen == 0 || !clocks_.before(mail.seen, login.ready) || mail.gone != 0 || there.contains(id)) continue;
      mail.gone = e.index;
      if (accuses) suspects_.push_back({e.at + clocks_.slack(), account, id, mail.seen, e.index, mail.listed_since});
    }
  }

 public:
  /// Of what was listed so long ago all is known that may have been asked before.
  void accuse(Time now) {
    for (; !suspects_.empty() && suspects_.front().until < now; suspects_.pop_front()) missing(suspects_.front());
  }

  void absences(std::vector<Absence>& out) const {
    for (const auto& [account, mails] : mail_)
      for (const auto& [id, mail] : mails)
        if (mail.message != 0 && mail.gone > mail.seen) out.push_back({mail.message, account, mail.gone, "INBOX"});
  }

 private:
  /// Somebody who may be its owner, under another name, asked for it, or read it: the maildrop may be the same.
  bool asked_by_another_name(const Suspect& s) const {
    return std::any_of(mail_.begin(), mail_.end(), [&](const auto& of) {
      if (of.first == s.account || !people_.may_be_one(of.first, s.account)) return false;
      const auto mail = of.second.find(s.id);
      return mail != of.second.end() && (mail->second.asked != 0 || mail->second.retrieved != 0);
    });
  }

  bool by_others(const Suspect& s) const {
    for (const std::uint32_t person : {people_.of(s.account), People::kNobodyKnows}) {
      const auto over_imap = over_imap_.find(person);
      if (over_imap != over_imap_.end() && over_imap->second >= s.listed_since) return true;
      if (nameless_.contains(person)) return true;
    }
    return asked_by_another_name(s);
  }

  void missing(const Suspect& s) {
    const Mail& mail = mail_[s.account][s.id];
    const std::string& id = s.id;
    const Event& e = c_.history.event(s.listing);
    if (mail.removed != 0 || by_others(s)) return;
    const std::string expected = fmt::format("the unique-id {} is listed", printable(id, 80));
    if (mail.dropped != 0 && mail.dropped < s.listing)
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
                           c_.when(e), c_.who(c_.history.event(s.seen)), c_.when(c_.history.event(s.seen))),
               {s.seen, e.index},
               mail.message,
               ""});
  }

  Case& c_;
  People people_;
  Clocks clocks_;
  std::set<std::uint32_t> refused_;
  bool all_;
  std::map<std::uint32_t, Login> logins_;                      ///< by session
  std::map<std::uint32_t, std::map<std::string, Mail>> mail_;  ///< by account and unique-id
  std::map<std::uint32_t, Time> over_imap_;  ///< by person: when something was removed, or may have been, last
  std::set<std::uint32_t> nameless_;         ///< people
  std::deque<Suspect> suspects_;             ///< in the order of time
  Mail none_;
};

}  // namespace

void heard_absences_of_maildrops(Case& c, std::vector<Absence>& out) {
  Pop3Heard pop3(c);
  for (const Event& e : c.history.events()) pop3.apply(e);
  pop3.absences(out);
}

void judge_heard_maildrops(Case& c) {
  Pop3Heard pop3(c);
  for (const Event& e : c.history.events()) pop3.apply(e);
  pop3.accuse(Time::max());
}

}  // namespace mailproof::judge
