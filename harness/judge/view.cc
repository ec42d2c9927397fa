// I11: sequence numbers are 1..N; N grows by EXISTS and shrinks by EXPUNGE, one at a time.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "judge/case.h"
#include "judge/heard.h"
#include "judge/judges.h"
#include "judge/view_track.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::Type;
using history::What;

void exists_fell(Case& c, const View& v, const Event& e) {
  const std::uint32_t now = e.get<history::ExistsFacts>().now;
  if (now >= v.exists) return;
  c.find("exists-fell", {fmt::format("EXISTS {} or more, or EXPUNGE first", v.exists),
                         fmt::format("{} is told EXISTS {} of {} at {}, after EXISTS {}", c.who(e), now, v.mailbox,
                                     c.when(e), v.exists),
                         {e.index},
                         0,
                         ""});
}

void expunge_range(Case& c, const View& v, const Event& e) {
  if (e.seq == 0 && e.uid != 0) return;  // VANISHED of a UID the session never learnt
  if (e.seq >= 1 && e.seq <= v.exists) return;
  c.find("expunge-out-of-range",
         {fmt::format("a number from 1 to {}", v.exists),
          fmt::format("{} is told EXPUNGE {} of {} at {}", c.who(e), e.seq, v.mailbox, c.when(e)),
          {e.index},
          0,
          ""});
}

void row_range(Case& c, const View& v, const Event& e) {
  if (e.seq >= 1 && e.seq <= v.exists) return;
  c.find("row-out-of-range", {fmt::format("a number from 1 to {}", v.exists),
                              fmt::format("{} is told FETCH {} of {} at {}", c.who(e), e.seq, v.mailbox, c.when(e)),
                              {e.index},
                              0,
                              ""});
}

/// The audit looks when nobody expunges any more: every message that was in its view when it asked must come. What has
/// come in since need not.
void rows_missing(Case& c, const View& v, const Event& e) {
  const std::size_t told = v.numbers.told(), asked = std::min(e.get<history::CountFacts>().messages, v.exists);
  if (!c.by_audit(e) || !v.sure || told >= asked) return;
  c.find("rows-missing", {fmt::format("{} messages of {}, as EXISTS says", asked, v.mailbox),
                          fmt::format("{} is told of {} only by {}", c.who(e), told, c.when(e)),
                          {e.index},
                          0,
                          ""});
}

/// Whether the UID was another message's as well: then EXPUNGE was of that one, and what is told is that it was given
/// again (identity/uid-reused).
bool given_again(const Case& c, std::uint32_t account, const View& v, std::uint32_t uid, std::uint32_t message) {
  for (const Event& e : c.history.about(What::message)) {
    if (e.uid != uid || e.message == 0 || e.uidvalidity != v.uidvalidity || e.mailbox != v.mailbox) continue;
    if (c.history.account_of(e) == account && !c.may_be_one(e.message, message)) return true;
  }
  return false;
}

/// Told to one session as expunged, found by a fresh one later under the same UID, and nobody's request confirmed.
void of_the_living(Case& c, const View& v, const Event& e) {
  if (e.uid == 0) return;
  const std::uint32_t account = c.history.account_of(e);
  const std::uint32_t message = c.ledger.message_at(account, v.mailbox, v.uidvalidity, e.uid);
  const auto* cell = message == 0 ? nullptr : c.ledger.find(message, account, v.mailbox);
  if (cell == nullptr || !cell->enumerated || cell->by_pop || cell->removes > 0 || cell->present == 0) return;
  for (const std::uint32_t sight : c.sights(message)) {
    const Event& later = c.history.event(sight);
    if (later.index <= e.index || later.uid != e.uid) continue;
    if (!c.by_audit(later) || later.uidvalidity != v.uidvalidity || later.mailbox != v.mailbox) continue;
    if (given_again(c, account, v, e.uid, message)) return;
    c.find("expunge-of-the-living",
           {fmt::format("{} (UID {}) stays in the view: nobody removed it", c.name_of(message), e.uid),
            fmt::format("{} is told EXPUNGE {} at {}; a fresh session finds the message under the same UID", c.who(e),
                        e.seq, c.when(e)),
            {e.index, later.index},
            message,
            ""});
    return;
  }
}

/// Commands that a session has asked and nobody has answered yet. What came without any was not asked for; where one is
/// out it may have come with that, whichever it is.
class InProgress {
 public:
  explicit InProgress(const Case& c) : c_(c) {}
  void apply(const Event& e) {
    if (e.session == 0) return;
    if (e.type == Type::invoke) ++running_[e.session];
    if (completes(e) && c_.invoke(e).type == Type::invoke) --running_[e.session];
  }
  bool nothing(std::uint32_t session) const {
    const auto at = running_.find(session);
    return at == running_.end() || at->second <= 0;
  }

 private:
  const Case& c_;
  std::map<std::uint32_t, int> running_;
};

/// Removals that nobody answered: the server may do them when it comes to that, with us gone, and tell others later
/// (RFC 3501 section 6.4.8: a FETCH of a UID that is not there any more is OK).
class Unanswered {
 public:
  explicit Unanswered(const Case& c) : c_(c) {}
  void apply(const Event& e) {
    if (e.type != Type::info || e.session == 0) return;
    if (e.what == What::expunge || e.what == What::close || e.what == What::move || e.what == What::quit)
      newest_[c_.history.account_of(e)] = e.at;
  }
  /// Whether one may be done at about this time.
  bool removes(const Event& e) const {
    const auto newest = newest_.find(c_.history.account_of(e));
    return newest != newest_.end() && e.at - newest->second < c_.history.info.settle;
  }

 private:
  const Case& c_;
  std::map<std::uint32_t, Time> newest_;  ///< by account
};

void unasked(Case& c, const View& v, const Event& e) {
  c.find("expunge-unasked", {"EXPUNGE while a command runs, or while IDLE does",
                             fmt::format("{} is told EXPUNGE {} of {} at {}, and no command is in progress", c.who(e),
                                         e.seq, v.mailbox, c.when(e)),
                             {e.index},
                             0,
                             ""});
}

}  // namespace

void judge_view(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "view", out);
  if (history.info.recorded) judge_heard_again(c);
  ViewTrack track(history);
  InProgress commands(c);
  Unanswered open(c);
  std::set<std::uint32_t> cannot_read;  // sessions: that a row came and was none is told by itself
  const auto concerned = history.where([](history::Kind kind) {
    return kind.type == Type::invoke || completes(kind.type) || ViewTrack::follows(kind.what) ||
           kind.what == What::enumerated || kind.what == What::deviation;
  });
  for (const Event& e : concerned) {
    if (e.what == What::deviation && e.code == kUnreadableRow) cannot_read.insert(e.session);
    const View* v = e.session == 0 ? nullptr : track.view(e.session);
    if (v != nullptr && v->sure && !v->selecting) {
      if (e.what == What::exists) exists_fell(c, *v, e);
      if (e.what == What::row || e.what == What::message || e.what == What::nil) row_range(c, *v, e);
      if (e.what == What::enumerated && !cannot_read.contains(e.session) && !open.removes(e)) rows_missing(c, *v, e);
      if (e.what == What::expunged) {
        expunge_range(c, *v, e);
        of_the_living(c, *v, e);
        if (!history.info.recorded && commands.nothing(e.session)) unasked(c, *v, e);
      }
    }
    commands.apply(e);
    open.apply(e);
    track.apply(e);
  }
}

}  // namespace mailproof::judge
