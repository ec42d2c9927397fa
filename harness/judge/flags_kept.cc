#include "judge/flags_kept.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "history/flags.h"
#include "judge/under_way.h"
#include "judge/view_track.h"

namespace mailproof::judge {
namespace {

/// What somebody, or the server's filter on his behalf, makes of a message. $Junk and $NotJunk are mutually exclusive
/// (RFC 9051 section 2.3.2), as are those that clients used before: who sets one may take the other away.
enum class Opinion { none, bad, good };
Opinion opinion(std::string_view flag) {
  if (flag == "$junk" || flag == "junk" || flag == "$phishing") return Opinion::bad;
  if (flag == "$notjunk" || flag == "notjunk" || flag == "nonjunk") return Opinion::good;
  return Opinion::none;
}
bool contradicts(std::string_view flag, const std::set<std::string>& others) {
  const Opinion mine = opinion(flag);
  return mine != Opinion::none && std::any_of(others.begin(), others.end(), [&](const std::string& other) {
           return opinion(other) != Opinion::none && opinion(other) != mine;
         });
}

}  // namespace

std::set<std::string> lasting_flags(std::string_view flags) {
  std::set<std::string> out;
  while (!flags.empty()) {
    const auto end = std::min(flags.find(' '), flags.size());
    if (std::string word = lower(flags.substr(0, end)); word != "\\recent" && word != "\\deleted" && !word.empty())
      out.insert(std::move(word));
    flags.remove_prefix(std::min(end + 1, flags.size()));
  }
  return out;
}

namespace {

using history::Event;
using history::Type;
using history::What;

/// Account, mailbox, UIDVALIDITY, UID.
using Place = std::tuple<std::uint32_t, std::string, std::uint32_t, std::uint32_t>;

class Kept {
 public:
  Kept(Case& c, const Leaving& leaving) : c_(c), leaving_(leaving), track_(c.history) {
    for (const Event& e : c.history.about(What::rename)) {
      if (e.type != Type::ok && e.type != Type::info) continue;
      const Event& asked = c.invoke(e);
      for (const std::string& name : {asked.mailbox, asked.other_mailbox})
        renamed_[c.history.account_of(e)].insert(comparable(name));
    }
  }

  void run() {
    for (const Event& e : c_.history.events()) {
      // What an answer has told outlasts a restart; killed, a server may not have written it yet.
      if (e.what == What::admin && c_.invoke(e).code == "kill") forget();
      if (e.session != 0 && c_.history.session(e.session).protocol == Protocol::imap) {
        if ((e.what == What::select || e.what == What::examine) && e.type == Type::ok) selected(e);
        if (e.what == What::store && e.type == Type::invoke) asked(e);
        if (e.what == What::store && completes(e)) answered(e);
        if (e.what == What::fetch && (e.type == Type::invoke || completes(e))) fetched(e);
        if ((e.what == What::copy || e.what == What::move) && (e.type == Type::invoke || completes(e))) handled(e);
        if (e.what == What::row && e.uid != 0 && e.has_flags) row(e);
      } else if (e.session != 0 && c_.history.session(e.session).protocol == Protocol::pop3) {
        over_pop(e, pop_[c_.history.account_of(e)]);
      }
      track_.apply(e);
    }
    for (const auto& [place, lost] : lost_) accuse(place, lost);
    for (const auto& [place, back] : back_) accuse_back(place, back);
  }

 private:
  struct Mark {
    std::uint32_t store = 0;  ///< the answer that confirmed it
    std::uint32_t session = 0;
    std::uint32_t seen = 0;  ///< a row by which another session was told of it, or of its absence
    bool news = false;       ///< the message did not have it before, as was told
  };
  struct Marks {
    std::map<std::string, Mark> set, unset;
    UnderWay adding;     ///< what may set flags
    UnderWay reading;    ///< what names the message alone, and may set \Seen
    UnderWay removing;   ///< what may take flags away
    UnderWay bad, good;  ///< what may set keywords of this opinion, and take those of the other away
    UnderWay* opposing(std::string_view flag) {
      const Opinion mine = opinion(flag);
      return mine == Opinion::none ? nullptr : mine == Opinion::bad ? &good : &bad;
    }
    void begin_as(const Marks& other) {
      adding.join(other.adding);
      reading.join(other.reading);
      removing.join(other.removing);
      bad.join(other.bad);
      good.join(other.good);
    }
  };
  /// Of one account: POP3 sessions that read something.
  struct Pop {
    std::set<std::uint32_t> open;  ///< and QUIT was not answered yet
    std::uint32_t newest = 0;      ///< by which a server may show something as seen
    bool for_ever = false;         ///< one ended without that answer: the server may notice whenever it likes
    bool may_have_seen(std::uint32_t since) const { return for_ever || !open.empty() || newest > since; }
  };
  struct Session {
    std::uint32_t since = 0;  ///< its SELECT was asked for
  };
  struct Lost {
    std::uint32_t store = 0, row = 0, seen = 0;
    std::set<std::string> flags;
  };

  void forget() {
    marks_.clear();
    of_message_.clear();
    told_.clear();
  }

  /// Servers write a separator in their own way.
  static std::string comparable(std::string_view name) {
    std::string out = lower(name);
    std::replace(out.begin(), out.end(), '.', '/');
    while (!out.empty() && out.back() == '/') out.pop_back();
    return out;
  }

  /// Whose mailbox has or had another name: what was done under that one is not found under this.
  bool renamed(std::uint32_t account, std::string_view mailbox) const {
    const auto names = renamed_.find(account);
    const std::string name = comparable(mailbox);
    return names != renamed_.end() && std::any_of(names->second.begin(), names->second.end(),
                                                  [&](const auto& top) { return name.starts_with(top); });
  }

  void selected(const Event& e) {
    Session& at = sessions_[e.session];
    at.since = e.command;
  }

  std::optional<Place> place(const Event& e, std::uint32_t uid) const {
    const View* view = track_.view(e.session);
    if (view == nullptr || view->uidvalidity == 0) return std::nullopt;
    return Place{c_.history.account_of(e), iequals(view->mailbox, "INBOX") ? "INBOX" : view->mailbox, view->uidvalidity,
                 uid};
  }

  /// Copies of one message may share their flags: labels do.
  template <class F>
  void each(const Event& e, std::uint32_t uid, F&& f) {
    const auto here = place(e, uid);
    if (!here) return;
    const auto& [account, mailbox, validity, number] = *here;
    const std::uint32_t message = c_.ledger.message_at(account, mailbox, validity, uid);
    f(*here, of(*here));
    if (message == 0) return;
    for (const Place& other : of_message_[{account, message}])
      if (other != *here) f(other, marks_.at(other));
  }

  Marks& of(const Place& place) {
    const auto [at, fresh] = marks_.try_emplace(place);
    const auto& [account, mailbox, validity, uid] = place;
    const std::uint32_t message = fresh ? c_.ledger.message_at(account, mailbox, validity, uid) : 0;
    if (message == 0) return at->second;
    auto& places = of_message_[{account, message}];
    for (const Place& other : places) at->second.begin_as(marks_.at(other));
    places.push_back(place);
    return at->second;
  }

  /// A command that may set flags, while it is under way: of two that overlap nobody knows which came last.
  void sets(const Event& e, const Event& asked, std::uint32_t uid, const std::set<std::string>& flags) {
    const bool seen_alone = asked.what != What::store;
    each(e, uid, [&](const Place& place, Marks& marks) {
      (seen_alone ? marks.reading : marks.adding).note(e);
      const auto back = back_.find(place);
      std::erase_if(marks.set, [&](const auto& mark) { return contradicts(mark.first, flags); });
      const auto has = [&](Opinion what) {
        return std::any_of(flags.begin(), flags.end(), [&](const auto& flag) { return opinion(flag) == what; });
      };
      if (has(Opinion::bad)) marks.bad.note(e);
      if (has(Opinion::good)) marks.good.note(e);
      for (const std::string& flag : flags) {
        marks.unset.erase(flag);
        if (back != back_.end() && asked.index < back->second.row) back->second.flags.erase(flag);
      }
    });
  }

  /// Without PEEK it sets \Seen (RFC 3501 section 6.4.5).
  void fetched(const Event& e) {
    if (history::sets_seen(c_.invoke(e).text)) handled(e);
  }

  /// Who answers, files or copies a message has read it, to some servers.
  void handled(const Event& e) {
    const Event& asked = c_.invoke(e);
    for (const std::uint32_t uid : history::parse_uids(asked.set)) sets(e, asked, uid, {"\\seen"});
  }
  static std::set<std::string> sets_perhaps(std::string_view flags) {
    auto out = lasting_flags(flags);
    out.insert("\\seen");
    return out;
  }

  /// RFC 1939 knows no flags: what is read over POP3 a server may show as seen, at once or in the UPDATE state, in
  /// which it is to do its work (section 6), or when it finds that the session is over.
  void over_pop(const Event& e, Pop& pop) {
    if (e.what == What::message || e.what == What::retr || e.what == What::top) {
      pop.open.insert(e.session);
      pop.newest = e.index;
    }
    if (!pop.open.contains(e.session)) return;
    if (e.what == What::end) pop.for_ever = true;
    if (e.what == What::quit && (e.type == Type::ok || e.type == Type::fail) && !never_asked(e)) {
      pop.open.erase(e.session);
      pop.newest = e.index;
    }
  }

  void asked(const Event& e) {
    const auto uids = history::parse_uids(e.set);
    if (e.code.starts_with('+')) note_before(e, uids);
    if (!e.code.starts_with('-'))
      for (const std::uint32_t uid : uids) sets(e, e, uid, sets_perhaps(e.flags));
    if (e.code.starts_with('+')) return;
    const auto cleared = lasting_flags(e.flags);
    for (const std::uint32_t uid : uids)
      each(e, uid, [&](const Place&, Marks& marks) {
        marks.removing.note(e);
        if (!e.code.starts_with('-')) marks.set.clear();
        for (const std::string& flag : cleared) marks.set.erase(flag);
      });
  }

  /// Where the message was last told to be without the flag, STORE is what sets it: if nobody had taken it away, which
  /// may last for the session alone.
  void note_before(const Event& e, const std::vector<std::uint32_t>& uids) {
    const auto flags = lasting_flags(e.flags);
    for (const std::uint32_t uid : uids) {
      const auto here = place(e, uid);
      const auto told = here ? told_.find(*here) : told_.end();
      if (told == told_.end()) continue;
      if (const auto marks = marks_.find(*here); marks != marks_.end() && marks->second.removing.newest != 0) continue;
      for (const std::string& flag : flags)
        if (!told->second.second.contains(flag)) news_.emplace(e.index, uid, flag);
    }
  }
  /// Then it is no longer needed.
  bool was_news(std::uint32_t asked, std::uint32_t uid, const std::string& flag) {
    return news_.erase({asked, uid, flag}) != 0;
  }

  void answered(const Event& e) {
    const Event& asked = c_.invoke(e);
    const auto uids = history::parse_uids(asked.set);
    if (!asked.code.starts_with('+'))
      for (const std::uint32_t uid : uids)
        each(asked, uid, [&](const Place&, Marks& marks) { marks.removing.note(e); });
    if (!asked.code.starts_with('-'))
      for (const std::uint32_t uid : uids) sets(e, asked, uid, sets_perhaps(asked.flags));
    if (e.type != Type::ok || istarts_with(e.code, "MODIFIED")) return;
    const bool silent = upper(asked.code).find("SILENT") != std::string::npos;
    for (const std::uint32_t uid : uids) {
      const auto here = place(asked, uid);
      if (!here) continue;
      Marks& marks = of(*here);
      if (asked.code.starts_with('-')) {
        taken_away(e, asked, *here, marks, silent);
        continue;
      }
      // Of two STOREs that overlap nobody knows which came last; the own one, where it replaces, is the newest then.
      const UnderWay& removing = marks.removing;
      const bool alone = removing.open == 0 && (removing.newest < asked.index || removing.newest == e.index);
      const auto told = told_.find(*here);
      const bool shown = told != told_.end() && told->second.first > asked.index;
      const auto set = lasting_flags(asked.flags);
      for (const std::string& flag : set) {
        const bool news = was_news(asked.index, uid, flag);
        const UnderWay* opposing = marks.opposing(flag);
        if (opposing != nullptr && opposing->since(asked.index)) continue;
        if (alone && !contradicts(flag, set) && (shown ? told->second.second.contains(flag) : silent))
          marks.set[flag] = {e.index, e.session, 0, news};
      }
    }
  }

  /// Keywords are left out: a server may set its own by what it makes of the message.
  void taken_away(const Event& e, const Event& asked, const Place& here, Marks& marks, bool silent) {
    if (marks.adding.since(asked.index)) return;
    const auto told = told_.find(here);
    const bool shown = told != told_.end() && told->second.first > asked.index;
    const bool read = marks.reading.since(asked.index);
    for (const std::string& flag : lasting_flags(asked.flags))
      if (flag.starts_with('\\') && !(read && flag == "\\seen") &&
          (shown ? !told->second.second.contains(flag) : silent) &&
          !read_over_pop(std::get<0>(here), flag, asked.index))
        marks.unset[flag] = {e.index, e.session, 0, false};
  }

  bool read_over_pop(std::uint32_t account, const std::string& flag, std::uint32_t since) const {
    const auto pop = flag == "\\seen" ? pop_.find(account) : pop_.end();
    return pop != pop_.end() && pop->second.may_have_seen(since);
  }

  void row(const Event& e) {
    const auto here = place(e, e.uid);
    if (!here) return;
    const auto& [account, mailbox, validity, uid] = *here;
    if (leaving_.at(e.index, account, mailbox, validity, uid)) return;
    const auto flags = lasting_flags(e.flags);
    told_[*here] = {e.index, flags};
    const auto marks = marks_.find(*here);
    if (marks == marks_.end()) return;
    for (auto& [flag, mark] : marks->second.set) {
      if (mark.seen == 0 && e.session != mark.session && flags.contains(flag)) mark.seen = e.index;
      if (sessions_[e.session].since < mark.store) continue;  // it may be behind
      Lost& lost = lost_[*here];
      if (flags.contains(flag) || contradicts(flag, flags)) {
        lost.flags.erase(flag);  // it came after all, or a filter has put the opposite in its place
      } else {
        lost.flags.insert(flag);
        lost.store = mark.store;
        lost.row = e.index;
        if (lost.seen == 0) lost.seen = mark.seen;
      }
      if (flags.contains(flag) && e.session != mark.session && mark.news)
        lasts_.emplace(std::get<0>(*here), std::get<1>(*here), flag);
    }
    for (auto& [flag, mark] : marks->second.unset) {
      // One that was there before may have taken it away for itself alone.
      if (sessions_[e.session].since < mark.store) continue;
      if (mark.seen == 0 && e.session != mark.session && !flags.contains(flag)) mark.seen = e.index;
      if (read_over_pop(std::get<0>(*here), flag, mark.store)) continue;
      Lost& back = back_[*here];
      if (!flags.contains(flag)) {
        back.flags.erase(flag);  // it went after all
      } else {
        back.flags.insert(flag);
        back.store = mark.store;
        back.row = e.index;
        if (back.seen == 0) back.seen = mark.seen;
      }
    }
  }

  void accuse(const Place& place, const Lost& lost) {
    const auto& [account, mailbox, validity, uid] = place;
    const std::uint32_t message = c_.ledger.message_at(account, mailbox, validity, uid);
    if (lost.flags.empty() || message == 0 || renamed(account, mailbox)) return;
    // RFC 3501 section 7.1, PERMANENTFLAGS: what is not among them a server may keep for the session alone.
    find(lost.seen != 0 ? "forgotten" : "session-only", place, message, lost, "with", "took it away", "set it");
  }

  /// A client can change the flag permanently: another session was told that it is gone, or earlier that it is set.
  void accuse_back(const Place& place, const Lost& back) {
    const auto& [account, mailbox, validity, uid] = place;
    const std::uint32_t message = c_.ledger.message_at(account, mailbox, validity, uid);
    // Copies may share flags, and what was done to one under its old name is not found: of that account nothing is
    // said.
    if (back.flags.empty() || message == 0 || renamed_.contains(account)) return;
    const bool lasts = back.seen != 0 || std::any_of(back.flags.begin(), back.flags.end(), [&](const auto& flag) {
                         return lasts_.contains({std::get<0>(place), std::get<1>(place), flag});
                       });
    find(lasts ? "came-back" : "session-only", place, message, back, "without", "set it since", "took it away");
  }

  /// What a client did to flags, and what a session that selected the mailbox after that was told.
  void find(std::string_view kind, const Place& place, std::uint32_t message, const Lost& lost, std::string_view with,
            std::string_view nobody, std::string_view did) {
    const Event& store = c_.history.event(lost.store);
    const Event& row = c_.history.event(lost.row);
    c_.find(kind,
            {fmt::format("{} in {} {} {}: STORE was answered OK, and nobody {}", c_.name_of(message),
                         printable(std::get<1>(place), 100), with,
                         printable(fmt::format("{}", fmt::join(lost.flags, " ")), 100), nobody),
             fmt::format("{} {} at {}; {}, which selected the mailbox after that, is told ({}) at {}", c_.who(store),
                         did, c_.when(store), c_.who(row), printable(row.flags, 100), c_.when(row)),
             {lost.store, lost.seen, lost.row},
             message,
             ""});
  }

  Case& c_;
  const Leaving& leaving_;
  ViewTrack track_;
  std::set<std::tuple<std::uint32_t, std::string, std::string>>
      lasts_;                                               ///< account, mailbox, flag: set for others, too
  std::map<std::uint32_t, std::set<std::string>> renamed_;  ///< by account: old names and new ones
  std::map<std::uint32_t, Pop> pop_;                        ///< by account
  std::set<std::tuple<std::uint32_t, std::uint32_t, std::string>> news_;  ///< STORE under way, UID, flag
  std::map<Place, Lost> back_;
  std::map<std::uint32_t, Session> sessions_;
  std::map<Place, Marks> marks_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<Place>> of_message_;  ///< account and message
  std::map<Place, std::pair<std::uint32_t, std::set<std::string>>> told_;             ///< the newest row
  std::map<Place, Lost> lost_;
};

}  // namespace

void judge_kept_flags(Case& c, const Leaving& leaving) {
  const auto stores = c.history.about(What::store);
  if (std::any_of(stores.begin(), stores.end(), [](const Event& e) { return e.type == Type::ok; }))
    Kept(c, leaving).run();
}

}  // namespace mailproof::judge
