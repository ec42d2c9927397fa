// I6, I15, I29 for sessions of others: what goes, somebody asked for; what went, does not come back. Where not every
// session was heard only what contradicts itself is said.
#include "judge/heard.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>

#include "core/bytes.h"
#include "history/heard.h"
#include "judge/view_track.h"
#include "wire/imap/sequence_set.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::Type;
using history::What;

bool has_deleted(std::string_view flags) {
  while (!flags.empty()) {
    const std::size_t space = std::min(flags.find(' '), flags.size());
    if (iequals(flags.substr(0, space), "\\Deleted")) return true;
    flags.remove_prefix(std::min(space + 1, flags.size()));
  }
  return false;
}

/// Every session of these accounts was heard, from its beginning to its end.
bool heard_all(const history::History& history) {
  const auto& events = history.events();
  return history.info.all_clients && std::none_of(events.begin(), events.end(), [](const Event& e) {
           return (e.what == What::connect && e.code == history::kMiddle) ||
                  (e.what == What::end && e.code == history::kBlind);
         });
}

/// UIDs, by ranges: a set of a few octets names as many as there can be.
class Uids {
 public:
  void add(std::uint32_t first, std::uint32_t last) {
    auto at = ranges_.upper_bound(first);
    if (at != ranges_.begin() && std::prev(at)->second >= first - 1) --at;
    while (at != ranges_.end() && (at->first <= last || at->first - 1 == last)) {
      first = std::min(first, at->first);
      last = std::max(last, at->second);
      at = ranges_.erase(at);
    }
    ranges_.emplace(first, last);
  }
  bool contains(std::uint32_t uid) const {
    const auto at = ranges_.upper_bound(uid);
    return at != ranges_.begin() && std::prev(at)->second >= uid;
  }

 private:
  std::map<std::uint32_t, std::uint32_t> ranges_;  ///< first -> last; apart from each other
};

/// What an event's set names, each UID once; nothing where that is not known.
std::optional<imap::SequenceSet> uids_in(const std::string& set) {
  constexpr std::size_t kMostRanges = 1'000'000;
  auto parsed = imap::SequenceSet::parse(set, kMostRanges);
  if (!parsed || parsed->has_star()) return std::nullopt;
  parsed->normalise();
  return std::move(*parsed);
}

/// One UID of one mailbox that somebody saw. All are events; 0 = it never happened.
struct Copy {
  std::uint32_t seen = 0, message = 0;
  std::uint32_t unmarked = 0;  ///< its flags were told, and \Deleted was none: who marks it is heard from then on
  std::uint32_t asked = 0;     ///< it was seen marked, by whoever did it
  std::uint32_t marked = 0;    ///< STORE +FLAGS \Deleted that was answered OK, by one session, and not taken back
  std::uint32_t removed = 0;   ///< the EXPUNGE or CLOSE after that, answered OK
  std::uint32_t gone = 0;      ///< told to somebody, or absent in a complete listing
};

/// What was asked to be removed.
struct Asked {
  Uids uids;
  bool some = false;  ///< and of which messages is not known
};

/// A mailbox with one UIDVALIDITY.
struct Box {
  std::map<std::uint32_t, Copy> copies;
  /// Those of a set that were seen: f(uid, copy).
  template <class F>
  void for_each(const imap::SequenceSet& set, F&& f) {
    for (const auto& range : set.ranges())
      for (auto at = copies.lower_bound(range.first); at != copies.end() && at->first <= range.last; ++at)
        f(at->first, at->second);
  }
  std::uint32_t anything = 0;  ///< asked for that may remove any message
};

struct Open {
  std::string mailbox;
  std::uint32_t uidvalidity = 0;
  std::uint32_t since = 0;  ///< when it was asked for: what was answered before that, the server had done
  bool writable = false;
};

class ImapHeard {
 public:
  ImapHeard(Case& c, bool removals) : c_(c), track_(c.history), removals_(removals), all_(heard_all(c.history)) {}

  void apply(const Event& e) {
    if (e.session == 0) return;
    const Protocol protocol = c_.history.session(e.session).protocol;
    // A server may also remove what was fetched whole (RFC 1939 section 8).
    const bool takes =
        (e.what == What::dele && e.type == Type::invoke) || (e.what == What::message && e.code == "full");
    if (protocol == Protocol::pop3 && takes) over_pop3_[c_.history.account_of(e)].insert(e.message);
    if (protocol == Protocol::imap) {
      imap(e);
      track_.apply(e);
      if (e.what == What::fetch && e.type == Type::ok) listed(e);
    }
  }

 private:
  using Key = std::tuple<std::uint32_t, std::string, std::uint32_t>;

  Box* box(const Event& e) {
    const auto open = open_.find(e.session);
    if (open == open_.end() || open->second.uidvalidity == 0) return nullptr;
    return &boxes_[Key{c_.history.account_of(e), open->second.mailbox, open->second.uidvalidity}];
  }

  /// Whatever is in it, or below it, may go with this.
  void anything(std::uint32_t account, std::string_view mailbox, const Event& e) {
    for (auto& [key, at] : boxes_)
      if (std::get<0>(key) == account && std::string_view(std::get<1>(key)).starts_with(mailbox)) at.anything = e.index;
    asked_of_.emplace_back(account, mailbox);
  }

  bool asked_before(const Key& key) const {
    return std::any_of(asked_of_.begin(), asked_of_.end(), [&](const auto& one) {
      return one.first == std::get<0>(key) && std::string_view(std::get<1>(key)).starts_with(one.second);
    });
  }

  void imap(const Event& e) {
    switch (e.what) {
      case What::select:
      case What::examine:
        if (e.type == Type::invoke) break;
        open_.erase(e.session);
        if (e.type == Type::ok) open(e);
        break;
      case What::unselect:
        if (e.type == Type::ok) open_.erase(e.session);
        break;
      case What::remove:
      case What::rename:
        if (e.type != Type::invoke) break;
        anything(c_.history.account_of(e), e.mailbox, e);
        if (!e.other_mailbox.empty()) anything(c_.history.account_of(e), e.other_mailbox, e);
        break;
      case What::store:
        store(e);
        break;
      case What::move:
        if (e.type == Type::invoke) ask(e);
        break;
      case What::expunge:
      case What::close:
        expunge(e);
        break;
      case What::row:
      case What::message:
        if (e.uid != 0) sight(e);
        break;
      case What::expunged:
        if (Box* at = e.uid == 0 ? nullptr : box(e)) gone(*at, e.uid, e, "is told that it is expunged");
        break;
      case What::vanished:
        if (Box* at = e.code.empty() ? nullptr : box(e))
          if (const auto set = uids_in(e.set))
            at->for_each(*set, [&](std::uint32_t uid, Copy&) { gone(*at, uid, e, "is told that it has vanished"); });
        break;
      default:
        break;
    }
  }

  void open(const Event& e) {
    const Event& asked = c_.invoke(e);
    // RFC 3501 section 6.4.2: nothing is removed from what "is otherwise selected read-only".
    const bool writable = e.what == What::select && !istarts_with(e.code, "READ-ONLY");
    open_[e.session] = {asked.mailbox, e.uidvalidity, asked.index, writable};
    if (Box* at = box(e); at != nullptr && at->anything == 0)
      if (asked_before(Key{c_.history.account_of(e), asked.mailbox, e.uidvalidity})) at->anything = e.index;
  }

  void ask(const Event& e) {
    Box* at = box(e);
    if (at == nullptr) return;
    // Another account may share the mailbox, under whatever name: its UIDVALIDITY is the same.
    Asked& shared = anywhere_[open_.at(e.session).uidvalidity];
    const auto set = uids_in(e.set);
    if (!set) {  // of which messages is not known
      at->anything = e.index;
      shared.some = true;
      return;
    }
    for (const auto& range : set->ranges()) shared.uids.add(range.first, range.last);
  }

  void store(const Event& e) {
    const Event& asked = c_.invoke(e);
    const bool takes = asked.code.starts_with('-'), adds = asked.code.starts_with('+');
    const bool sets = has_deleted(asked.flags) && !takes;
    const bool clears = has_deleted(asked.flags) ? takes : !adds && !takes;
    if (e.type == Type::invoke && sets) ask(e);
    Box* at = box(e);
    if (at == nullptr) return;
    const auto set = uids_in(asked.set);
    // RFC 7162 section 3.1.3: OK [MODIFIED] left some as they were.
    const bool marks = sets && e.type == Type::ok && !istarts_with(e.code, "MODIFIED");
    // What nobody saw is not marked: under a number of the set that was nobody's, mail may yet come in.
    if (set)
      at->for_each(*set, [&](std::uint32_t, Copy& copy) {
        if (marks) copy.marked = e.index;
        if (clears) copy.marked = 0;
      });
    if (clears && !set)
      for (auto& [uid, copy] : at->copies) copy.marked = 0;
  }

  void expunge(const Event& e) {
    Box* at = box(e);
    const auto open = open_.find(e.session);
    if (at != nullptr && e.type == Type::ok && open->second.writable) {
      const Event& asked = c_.invoke(e);
      const auto only = uids_in(asked.set);
      const bool all = asked.set.empty() && asked.text.empty();
      for (auto& [uid, copy] : at->copies) {
        const bool meant = all || (only && only->covers(uid));
        if (meant && copy.marked != 0 && copy.marked < asked.index) copy.removed = e.index;
      }
    }
    if (e.what == What::close && e.type != Type::invoke) open_.erase(e.session);
  }

  std::string where(const Event& e, std::uint32_t uid) const {
    return fmt::format("UID {} of {}'s {}", uid, c_.account(c_.history.account_of(e)), open_.at(e.session).mailbox);
  }
  std::string what(const Copy& copy) const {
    return copy.message == 0 ? std::string("the message") : c_.name_of(copy.message);
  }

  void sight(const Event& e) {
    Box* at = box(e);
    if (at == nullptr || (e.uidvalidity != 0 && e.uidvalidity != open_.at(e.session).uidvalidity)) return;
    Copy& copy = at->copies[e.uid];
    const std::uint32_t since = open_.at(e.session).since;
    // Another message under the UID is a finding of its own: where the first one is known, so must be this one.
    const bool same = copy.message == 0 || (e.what == What::message && c_.may_be_one(e.message, copy.message));
    const bool other = e.what == What::message && !same && e.message != 0;
    if (other) copy = Copy{};
    if (!same) return known(copy, e);
    if (copy.gone != 0 && since > copy.gone && !removals_) again(copy, e);
    if (copy.removed != 0 && since > copy.removed && removals_ && all_) {
      c_.find("expunge-ok-but-there",
              {fmt::format("{} ({}) is gone", what(copy), where(e, e.uid)),
               fmt::format(
                   "it was marked and expunged with OK at {}; {}, who opened the mailbox after that, finds it at {}",
                   c_.when(c_.history.event(copy.removed)), c_.who(e), c_.when(e)),
               {copy.marked, copy.removed, e.index},
               copy.message,
               ""});
      copy.removed = 0;
    }
    known(copy, e);
  }

  static void known(Copy& copy, const Event& e) {
    copy.seen = e.index;
    if (e.what == What::message && e.message != 0) copy.message = e.message;
    if (!e.has_flags) return;
    if (has_deleted(e.flags)) copy.asked = e.index;  // whoever did it
    if (copy.unmarked == 0) copy.unmarked = e.index;
  }

  void again(Copy& copy, const Event& e) {
    const Event& told = c_.history.event(copy.gone);
    c_.find(
        "expunge-of-the-living",
        {fmt::format("{} ({}) is gone for good", what(copy), where(e, e.uid)),
         fmt::format("{} was told so at {}; {}, who opened the mailbox after that, finds it under the same UID at {}",
                     c_.who(told), c_.when(told), c_.who(e), c_.when(e)),
         {copy.gone, e.index},
         copy.message,
         ""});
    copy.gone = 0;
  }

  /// It, or something of which nobody knows what it is, or anything at all where nobody knows what this is.
  bool taken_over_pop3(const Event& e, const Copy& copy) const {
    const auto taken = over_pop3_.find(c_.history.account_of(e));
    if (taken == over_pop3_.end() || !iequals(open_.at(e.session).mailbox, "INBOX")) return false;
    if (copy.message == 0 || taken->second.contains(copy.message) || taken->second.contains(0)) return true;
    // Two with one Message-ID may be one whose text the server changed.
    const std::string& id = c_.history.message(copy.message).message_id;
    return !id.empty() && std::any_of(taken->second.begin(), taken->second.end(),
                                      [&](std::uint32_t other) { return c_.history.message(other).message_id == id; });
  }

  bool asked_anywhere(const Event& e, std::uint32_t uid) const {
    const auto asked = anywhere_.find(open_.at(e.session).uidvalidity);
    return asked != anywhere_.end() && (asked->second.some || asked->second.uids.contains(uid));
  }

  void gone(Box& at, std::uint32_t uid, const Event& e, std::string_view how) {
    const auto found = at.copies.find(uid);
    if (found == at.copies.end()) return;
    Copy& copy = found->second;
    if (removals_ && all_ && !taken_over_pop3(e, copy) && !asked_anywhere(e, uid) && copy.unmarked != 0 &&
        copy.gone == 0 && copy.asked == 0 && at.anything == 0)
      c_.find("unasked", {fmt::format("{} stays, {}: nobody marked it, moved it or deleted the mailbox", what(copy),
                                      where(e, uid)),
                          fmt::format("{} {} at {}; it was last seen by {} at {}", c_.who(e), how, c_.when(e),
                                      c_.who(c_.history.event(copy.seen)), c_.when(c_.history.event(copy.seen))),
                          {copy.seen, e.index},
                          copy.message,
                          ""});
    if (copy.gone == 0) copy.gone = e.index;
  }

  /// All numbers of the view were told: what others saw before this session began, and is not among them, is gone.
  void listed(const Event& e) {
    const View* view = track_.view(e.session);
    Box* at = box(e);
    if (at == nullptr || view == nullptr || !view->sure || view->selecting || view->numbers.told() < view->exists)
      return;
    std::vector<std::uint32_t> there = view->numbers.uids();
    if (std::find(there.begin(), there.end(), 0U) != there.end()) return;
    std::sort(there.begin(), there.end());
    const std::uint32_t since = open_.at(e.session).since;
    for (auto& [uid, copy] : at->copies)
      if (copy.seen != 0 && copy.seen < since && copy.gone == 0 && !std::binary_search(there.begin(), there.end(), uid))
        gone(*at, uid, e, "has a complete listing without it");
  }

  Case& c_;
  ViewTrack track_;
  bool removals_;
  bool all_;
  std::map<std::uint32_t, Open> open_;  ///< by session
  std::map<Key, Box> boxes_;            ///< account, mailbox, UIDVALIDITY
  std::vector<std::pair<std::uint32_t, std::string>> asked_of_;
  std::map<std::uint32_t, Asked> anywhere_;                     ///< by UIDVALIDITY
  std::map<std::uint32_t, std::set<std::uint32_t>> over_pop3_;  ///< by account: messages; 0 = one that nobody knows
};

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
      const bool marks = (e.what == What::store || e.what == What::row) && has_deleted(e.flags);
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

void judge_heard_removals(Case& c) {
  ImapHeard imap(c, true);
  Pop3Heard pop3(c);
  for (const Event& e : c.history.events()) {
    imap.apply(e);
    pop3.apply(e);
  }
}

void judge_heard_again(Case& c) {
  ImapHeard imap(c, false);
  for (const Event& e : c.history.events()) imap.apply(e);
}

}  // namespace mailproof::judge
