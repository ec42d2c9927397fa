// I22: MODSEQ of a message rises with every change of its flags and never falls; HIGHESTMODSEQ is that of the newest
// change.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "core/bytes.h"
#include "judge/case.h"
#include "judge/judges.h"
#include "judge/leaving.h"
#include "judge/reshapes.h"
#include "judge/view_track.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::Type;
using history::What;

using ModseqBox =
    std::tuple<std::uint32_t, std::string, std::uint32_t>;  ///< account, mailbox in lower case, UIDVALIDITY

/// \Recent is a session's, no message's (RFC 3501 section 2.3.2). The case in which a flag is written says nothing.
std::string without_recent(std::string_view flags) {
  std::set<std::string> words;
  while (!flags.empty()) {
    const auto end = std::min(flags.find(' '), flags.size());
    if (!iequals(flags.substr(0, end), "\\Recent")) words.insert(lower(flags.substr(0, end)));
    flags.remove_prefix(std::min(end + 1, flags.size()));
  }
  return fmt::format("{}", fmt::join(words, " "));
}

/// Only with QRESYNC does a removal raise HIGHESTMODSEQ (RFC 7162 section 3.2). It is on where ENABLED says so: OK
/// alone is said to whatever a server does not know, too (RFC 5161 section 3.1).
std::set<std::uint32_t> accounts_with_qresync(const Case& c) {
  std::set<std::uint32_t> out;
  for (const Event& e : c.history.about(What::enable))
    if (e.type == Type::ok && iequals(e.code, "QRESYNC")) out.insert(c.history.account_of(e));
  return out;
}

class Modseqs {
 public:
  explicit Modseqs(Case& c) : c_(c), leaving_(c), track_(c.history), reshapes_(c), qresync_(accounts_with_qresync(c)) {}

  void run() {
    for (const Event& e : c_.history.events()) {
      const bool imap = e.session != 0 && c_.history.session(e.session).protocol == Protocol::imap;
      if (imap && e.what == What::row && e.uid != 0 && e.get<history::RowFacts>().modseq != 0) row(e);
      const bool opens = e.what == What::select || e.what == What::examine;
      if (opens && e.type == Type::ok && e.uidvalidity != 0) opened(e);
      if ((e.what == What::copy || e.what == What::move) && e.type == Type::ok && e.uidvalidity != 0) put_there(e);
      if (e.what == What::create || e.what == What::remove || e.what == What::rename) forget(e);
      if (e.what == What::expunged || e.what == What::vanished) told_gone(e);
      if (e.what == What::end) opened_.erase(e.session);
      track_.apply(e);
    }
  }

 private:
  struct Known {
    std::uint32_t event = 0;
    std::uint64_t modseq = 0;
    std::uint32_t flags_event = 0;  ///< that told the flags which the message has with this MODSEQ
    std::string flags;
  };

  void forget(const Event& e) {
    const auto concerned = [&](const ModseqBox& box) {
      return reshapes_.concerns(e, std::get<0>(box), std::get<1>(box));
    };
    std::erase_if(known_, [&](const auto& one) { return concerned(one.first.first); });
    std::erase_if(highest_, [&](const auto& one) { return concerned(one.first); });
    std::erase_if(opened_, [&](const auto& one) { return concerned(one.second.box); });
    std::erase_if(above_, [&](const auto& one) { return concerned(one.first.first); });
  }

  void told_gone(const Event& e) {
    const auto at = opened_.find(e.session);
    if (at == opened_.end()) return;
    if (e.what == What::expunged && e.uid != 0) gone_.insert({at->second.box, e.uid});
    // VANISHED may name a great many of which nothing is known.
    for (const std::uint32_t uid : history::parse_uids(e.set))
      if (known_.contains({at->second.box, uid})) gone_.insert({at->second.box, uid});
  }

  /// What COPY or MOVE puts into a mailbox gets a MODSEQ above all that was told of it before. Where something was
  /// removed meanwhile that may have been what had the highest.
  void put_there(const Event& e) {
    const Event& asked = c_.invoke(e);
    const ModseqBox box{c_.history.account_of(e), lower(asked.other_mailbox), e.uidvalidity};
    const auto highest = highest_.find(box);
    if (highest == highest_.end() || highest->second.event >= asked.index) return;
    const std::uint32_t since = c_.invoke(c_.history.event(highest->second.event)).index;
    if (!qresync_.contains(std::get<0>(box)) &&
        leaving_.any_between(since, e.index, std::get<0>(box), asked.other_mailbox))
      return;
    for (const std::uint32_t uid : history::parse_uids(e.get<history::CopyFacts>().destinations))
      above_[{box, uid}] = {highest->second.event, highest->second.modseq, e.index};
  }

  void above_all_before(const Event& e, const ModseqBox& box, std::uint64_t modseq, std::uint32_t message) {
    const auto put = above_.find({box, e.uid});
    if (put == above_.end()) return;
    const Put before = put->second;
    above_.erase(put);
    if (modseq > before.modseq) return;
    const Event& copied = c_.history.event(before.answer);
    c_.find("below-highest", {fmt::format("a MODSEQ above {} for UID {} of {}, which {} put there by {} at {}",
                                          before.modseq, e.uid, std::get<1>(box), c_.who(copied),
                                          copied.what == What::move ? "MOVE" : "COPY", c_.when(copied)),
                              fmt::format("{} is told MODSEQ {} at {}", c_.who(e), modseq, c_.when(e)),
                              {before.told, before.answer, e.index},
                              message,
                              ""});
  }

  /// The highest MODSEQ before a COPY or MOVE: the event that told it, and the command's answer.
  struct Put {
    std::uint32_t told = 0;
    std::uint64_t modseq = 0;
    std::uint32_t answer = 0;
  };
  /// What a session was told since it opened the mailbox.
  struct Opened {
    ModseqBox box;
    std::uint32_t event = 0;
    std::uint64_t highest = 0;
    std::map<std::uint32_t, Known> told;  ///< by UID: its newest flags
  };

  /// A session that was told HIGHESTMODSEQ, then flags of a message, and then others: that change is the newer one.
  /// Whoever was told only one of the two, before or after, may have missed a change that came in between.
  void changed(const Event& e, const ModseqBox& box, std::uint64_t modseq, const std::string& flags,
               std::uint32_t message) {
    const auto at = opened_.find(e.session);
    if (at == opened_.end() || at->second.box != box) return;
    Known& told = at->second.told[e.uid];
    if (told.event != 0 && told.flags != flags && modseq > told.modseq && modseq <= at->second.highest)
      c_.find("below-highest",
              {fmt::format("a MODSEQ above {} for UID {} of {}: its flags changed after HIGHESTMODSEQ was told",
                           at->second.highest, e.uid, std::get<1>(box)),
               fmt::format("{} is told MODSEQ {} with ({}), and before that ({})", c_.who(e), modseq, e.flags,
                           c_.history.event(told.event).flags),
               {at->second.event, told.event, e.index},
               message,
               ""});
    told = {e.index, modseq, 0, flags};
  }

  void row(const Event& e) {
    const View* view = track_.view(e.session);
    const std::uint32_t validity = e.uidvalidity == 0 && view != nullptr ? view->uidvalidity : e.uidvalidity;
    const std::string& mailbox = e.mailbox.empty() && view != nullptr ? view->mailbox : e.mailbox;
    const std::uint32_t account = c_.history.account_of(e);
    if (validity == 0 || leaving_.at(e.index, account, mailbox, validity, e.uid)) return;
    const ModseqBox box{account, lower(mailbox), validity};
    const bool has_flags =
        e.has_flags && !(e.flags.empty() && leaving_.nothing_at(e.index, account, mailbox, validity, e.uid));
    const std::uint64_t modseq = e.get<history::RowFacts>().modseq;
    Known& last = known_[{box, e.uid}];
    const std::uint32_t message = c_.ledger.message_at(std::get<0>(box), mailbox, validity, e.uid);
    if (last.modseq > modseq && older(last.event, e))
      c_.find("fell", {fmt::format("MODSEQ {} or more for UID {} of {}, as before", last.modseq, e.uid, mailbox),
                       fmt::format("{} is told MODSEQ {} at {}", c_.who(e), modseq, c_.when(e)),
                       {last.event, e.index},
                       message,
                       ""});
    above_all_before(e, box, modseq, message);
    const std::string flags = has_flags ? without_recent(e.flags) : std::string();
    if (has_flags && last.modseq == modseq && last.flags_event != 0 && last.flags != flags)
      c_.find("stays",
              {fmt::format("another MODSEQ than {} for UID {} of {}: its flags are others", modseq, e.uid, mailbox),
               fmt::format("{} is told ({}) with the MODSEQ that came with ({})", c_.who(e), e.flags,
                           c_.history.event(last.flags_event).flags),
               {last.flags_event, e.index},
               message,
               ""});
    if (has_flags) changed(e, box, modseq, flags, message);
    if (modseq > last.modseq) last = {e.index, modseq, 0, {}};
    if (has_flags && modseq == last.modseq) {
      last.flags_event = e.index;
      last.flags = flags;
    }
    auto& highest = highest_[box];
    if (modseq > highest.modseq) highest = {e.index, modseq, 0, {}};
  }

  void opened(const Event& e) {
    const Event& asked = c_.invoke(e);
    const std::uint64_t told = e.get<history::SelectFacts>().highestmodseq;
    const ModseqBox box{c_.history.account_of(e), lower(asked.mailbox), e.uidvalidity};
    opened_[e.session] = {box, e.index, told, {}};
    if (told == 0) return;  // not offered for this mailbox (RFC 7162 section 3.1.2.2)
    Known& highest = highest_[box];
    if (highest.modseq > told && !qresync_.contains(std::get<0>(box)) &&
        leaving_.any_between(c_.invoke(c_.history.event(highest.event)).index, e.index, std::get<0>(box),
                             asked.mailbox))
      highest = still_living(highest, box, e, asked, told);
    if (highest.modseq > told && highest.event < asked.index)
      c_.find("highest-behind",
              {fmt::format("HIGHESTMODSEQ {} of {} or more, as was told before", highest.modseq, asked.mailbox),
               fmt::format("{} is told HIGHESTMODSEQ {} at {}", c_.who(e), told, c_.when(e)),
               {highest.event, e.index},
               0,
               ""});
    if (told > highest.modseq) highest = {e.index, told, 0, {}};
  }

  /// RFC 7162 section 3.1.2.1: that of all messages in the mailbox, and what was removed is none of them. One that is
  /// above what is told now is enough.
  Known still_living(const Known& highest, const ModseqBox& box, const Event& e, const Event& asked,
                     std::uint64_t told) {
    const Event& by = c_.history.event(highest.event);
    if (by.what == What::row && living(box, by.uid, e, asked)) return highest;
    Known out{asked.index, told, 0, {}};
    for (auto at = known_.lower_bound({box, 0}); at != known_.end() && at->first.first == box; ++at) {
      if (at->second.modseq <= told || !living(box, at->first.second, e, asked)) continue;
      out = at->second;
      if (out.event < asked.index) break;
    }
    return out;
  }

  /// Whether it was there when this SELECT was answered. Of what is not ours, or where not all clients were heard,
  /// nobody knows who asked for its removal: it was there if who opened the mailbox then, or later, has seen it.
  bool living(const ModseqBox& box, std::uint32_t uid, const Event& e, const Event& asked) {
    const auto& [account, mailbox, validity] = box;
    if (gone_.contains({box, uid}) || leaving_.at(e.index, account, mailbox, validity, uid)) return false;
    if (!leaving_.unheard() && c_.ledger.message_at(account, asked.mailbox, validity, uid) != 0) return true;
    if (!seen_) seen_ = seen_by();
    const auto seen = seen_->find({box, uid});
    return seen != seen_->end() && seen->second >= asked.index;
  }

  /// By UID: of those who have seen it the newest SELECT.
  std::map<std::pair<ModseqBox, std::uint32_t>, std::uint32_t> seen_by() const {
    std::map<std::pair<ModseqBox, std::uint32_t>, std::uint32_t> out;
    std::map<std::uint32_t, std::pair<ModseqBox, std::uint32_t>> selected;  // by session
    for (const Event& e : c_.history.about(What::select, What::examine, What::row, What::end)) {
      if (e.session == 0) continue;
      if (e.what == What::select || e.what == What::examine || e.what == What::end) selected.erase(e.session);
      if (e.what != What::row && e.type == Type::ok) {
        const Event& asked = c_.invoke(e);
        selected[e.session] = {{c_.history.account_of(e), lower(asked.mailbox), e.uidvalidity}, asked.index};
      }
      const auto at = selected.find(e.session);
      if (e.what != What::row || e.uid == 0 || at == selected.end()) continue;
      auto& newest = out[{at->second.first, e.uid}];
      newest = std::max(newest, at->second.second);
    }
    return out;
  }

  /// Whether the server told the one before it began to tell the other: of one session, or asked for afterwards.
  bool older(std::uint32_t before, const Event& e) const {
    if (c_.history.event(before).session == e.session) return true;
    return e.command != 0 && e.command > before;
  }

  Case& c_;
  Leaving leaving_;
  ViewTrack track_;
  Reshapes reshapes_;
  std::set<std::uint32_t> qresync_;                             ///< accounts
  std::map<std::uint32_t, Opened> opened_;                      ///< by session
  std::map<std::pair<ModseqBox, std::uint32_t>, Known> known_;  ///< by UID: the highest MODSEQ that was told
  std::map<ModseqBox, Known> highest_;
  std::map<std::pair<ModseqBox, std::uint32_t>, Put> above_;  ///< by UID that a COPY or MOVE put there
  std::set<std::pair<ModseqBox, std::uint32_t>> gone_;        ///< UIDs that somebody was told are gone
  std::optional<std::map<std::pair<ModseqBox, std::uint32_t>, std::uint32_t>> seen_;
};

}  // namespace

void judge_modseq(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "modseq", out);
  const auto tell = history.about(What::row, What::select, What::examine);
  const bool any = std::any_of(tell.begin(), tell.end(), [](const Event& e) {
    return e.get<history::RowFacts>().modseq != 0 || e.get<history::SelectFacts>().highestmodseq != 0;
  });
  if (any) Modseqs(c).run();
}

}  // namespace mailproof::judge
