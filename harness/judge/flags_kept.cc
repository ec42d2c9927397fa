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
#include "judge/view_track.h"

namespace mailproof::judge {
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
  explicit Kept(Case& c) : c_(c), track_(c.history) {}

  void run() {
    for (const Event& e : c_.history.events()) {
      if (e.what == What::admin && (c_.invoke(e).code == "kill" || c_.invoke(e).code == "restart")) forget();
      if (e.session != 0 && c_.history.session(e.session).protocol == Protocol::imap) {
        if ((e.what == What::select || e.what == What::examine) && e.type == Type::ok) selected(e);
        if (e.what == What::store && e.type == Type::invoke) asked(e);
        if (e.what == What::store && completes(e)) answered(e);
        if (e.what == What::row && e.uid != 0 && e.has_flags) row(e);
      }
      track_.apply(e);
    }
    for (const auto& [place, lost] : lost_) accuse(place, lost);
  }

 private:
  struct Mark {
    std::uint32_t store = 0;  ///< the answer that confirmed it
    std::uint32_t session = 0;
    std::uint32_t seen = 0;  ///< a row by which another session was told of it
  };
  struct Marks {
    std::map<std::string, Mark> set;
    int removing = 0;           ///< commands under way that may take flags away
    std::uint32_t removed = 0;  ///< the newest event of such a command
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
    f(of(*here));
    if (message == 0) return;
    for (const Place& other : of_message_[{account, message}])
      if (other != *here) f(marks_.at(other));
  }

  Marks& of(const Place& place) {
    const auto [at, fresh] = marks_.try_emplace(place);
    const auto& [account, mailbox, validity, uid] = place;
    if (fresh)
      if (const std::uint32_t message = c_.ledger.message_at(account, mailbox, validity, uid))
        of_message_[{account, message}].push_back(place);
    return at->second;
  }

  void asked(const Event& e) {
    if (e.code.starts_with('+')) return;
    const auto cleared = lasting_flags(e.flags);
    for (const std::uint32_t uid : history::parse_uids(e.set))
      each(e, uid, [&](Marks& marks) {
        ++marks.removing;
        marks.removed = e.index;
        if (!e.code.starts_with('-')) marks.set.clear();
        for (const std::string& flag : cleared) marks.set.erase(flag);
      });
  }

  void answered(const Event& e) {
    const Event& asked = c_.invoke(e);
    const auto uids = history::parse_uids(asked.set);
    if (!asked.code.starts_with('+'))
      for (const std::uint32_t uid : uids)
        each(asked, uid, [&](Marks& marks) {
          // One that was not answered may be done at any time: the server has read it, or a proxy has.
          if (marks.removing > 0 && e.type != Type::info) --marks.removing;
          marks.removed = e.index;
        });
    if (e.type != Type::ok || istarts_with(e.code, "MODIFIED") || asked.code.starts_with('-')) return;
    const bool silent = upper(asked.code).find("SILENT") != std::string::npos;
    for (const std::uint32_t uid : uids) {
      const auto here = place(asked, uid);
      if (!here) continue;
      Marks& marks = of(*here);
      // Of two STOREs that overlap nobody knows which came last; the own one, where it replaces, is the newest then.
      const bool alone = marks.removing == 0 && (marks.removed < asked.index || marks.removed == e.index);
      const auto told = told_.find(*here);
      const bool shown = told != told_.end() && told->second.first > asked.index;
      for (const std::string& flag : lasting_flags(asked.flags)) {
        if (alone && (shown ? told->second.second.contains(flag) : silent)) marks.set[flag] = {e.index, e.session};
      }
    }
  }

  void row(const Event& e) {
    const auto here = place(e, e.uid);
    if (!here) return;
    const auto flags = lasting_flags(e.flags);
    told_[*here] = {e.index, flags};
    const auto marks = marks_.find(*here);
    if (marks == marks_.end()) return;
    for (auto& [flag, mark] : marks->second.set) {
      if (mark.seen == 0 && e.session != mark.session && flags.contains(flag)) mark.seen = e.index;
      if (sessions_[e.session].since < mark.store) continue;  // it may be behind
      Lost& lost = lost_[*here];
      if (flags.contains(flag)) {
        lost.flags.erase(flag);  // it came after all
      } else {
        lost.flags.insert(flag);
        lost.store = mark.store;
        lost.row = e.index;
        if (lost.seen == 0) lost.seen = mark.seen;
      }
    }
  }

  void accuse(const Place& place, const Lost& lost) {
    const auto& [account, mailbox, validity, uid] = place;
    const std::uint32_t message = c_.ledger.message_at(account, mailbox, validity, uid);
    if (lost.flags.empty() || message == 0) return;
    const Event& store = c_.history.event(lost.store);
    const Event& row = c_.history.event(lost.row);
    // RFC 3501 section 7.1, PERMANENTFLAGS: what is not among them a server may keep for the session alone.
    c_.find(lost.seen != 0 ? "forgotten" : "session-only",
            {fmt::format("{} in {} with {}: STORE was answered OK, and nobody took it away", c_.name_of(message),
                         printable(mailbox, 100), printable(fmt::format("{}", fmt::join(lost.flags, " ")), 100)),
             fmt::format("{} set it at {}; {}, which selected the mailbox after that, is told ({}) at {}",
                         c_.who(store), c_.when(store), c_.who(row), printable(row.flags, 100), c_.when(row)),
             {lost.store, lost.seen, lost.row},
             message,
             ""});
  }

  Case& c_;
  ViewTrack track_;
  std::map<std::uint32_t, Session> sessions_;
  std::map<Place, Marks> marks_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<Place>> of_message_;  ///< account and message
  std::map<Place, std::pair<std::uint32_t, std::set<std::string>>> told_;             ///< the newest row
  std::map<Place, Lost> lost_;
};

}  // namespace

void judge_kept_flags(Case& c) {
  const auto stores = c.history.about(What::store);
  if (std::any_of(stores.begin(), stores.end(), [](const Event& e) { return e.type == Type::ok; })) Kept(c).run();
}

}  // namespace mailproof::judge
