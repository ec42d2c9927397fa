// I6, I15, I29 for sessions of others: what goes, somebody asked for; what went, does not come back. Where not every
// session was heard only what contradicts itself is said.
#include "judge/heard.h"

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
#include "judge/heard_boxes.h"
#include "judge/heard_people.h"
#include "judge/view_track.h"
#include "wire/imap/sequence_set.h"

namespace mailproof::judge {
namespace heard {
namespace {

using history::Event;
using history::Type;
using history::What;

class ImapHeard {
 public:
  ImapHeard(Case& c, bool removals)
      : c_(c),
        track_(c.history),
        people_(c.history),
        clocks_(c.history),
        refused_(refused_removals(c.history)),
        removals_(removals),
        all_(heard_all(c.history)) {}

  void apply(const Event& e) {
    if (e.session == 0) return;
    if (!suspects_.empty() && suspects_.front().until < e.at) accuse(e.at);
    const Protocol protocol = c_.history.session(e.session).protocol;
    // A server may also remove what was fetched whole (RFC 1939 section 8).
    const bool takes =
        (e.what == What::dele && e.type == Type::invoke) || (e.what == What::message && e.code == "full");
    if (protocol == Protocol::pop3 && takes) over_pop3_[people_.of(c_.history.account_of(e))].insert(e.message);
    if (protocol == Protocol::imap) {
      imap(e);
      track_.apply(e);
      if (e.what == What::fetch && e.type == Type::ok) listed(e);
      if (e.what == What::search && e.type == Type::ok) searched(e);
    }
  }

  /// Nothing comes any more.
  void finish() { accuse(Time::max()); }

  void absences(std::vector<Absence>& out) const {
    for (const auto& [key, box] : boxes_)
      for (const auto& [uid, copy] : box.copies)
        if (copy.message != 0 && copy.gone > copy.seen)
          out.push_back({copy.message, std::get<0>(key), copy.gone, std::get<1>(key)});
  }

 private:
  Box* box(const Event& e) {
    const auto open = open_.find(e.session);
    if (open == open_.end() || open->second.uidvalidity == 0) return nullptr;
    return &boxes_[Key{c_.history.account_of(e), open->second.mailbox, open->second.uidvalidity}];
  }
  /// ... where it is the one that this event is about: between a SELECT and its answer data may be of either.
  Box* told_box(const Event& e) {
    const auto open = open_.find(e.session);
    if (open == open_.end() || (!e.mailbox.empty() && e.mailbox != open->second.mailbox) ||
        (e.uidvalidity != 0 && e.uidvalidity != open->second.uidvalidity))
      return nullptr;
    return box(e);
  }

  /// Whatever is in it, or below it, may go with this.
  void anything(std::uint32_t account, std::string_view mailbox, const Event& e) {
    for (auto& [key, at] : boxes_)
      if (std::get<0>(key) == account && may_lie_below(std::get<1>(key), mailbox)) at.anything = e.index;
    asked_of_.emplace_back(account, mailbox);
  }

  void imap(const Event& e) {
    switch (e.what) {
      case What::select:
      case What::examine:
        if (e.type == Type::invoke) {
          selecting_[e.session] = {e.mailbox, {}, std::nullopt, {}};
          break;
        }
        open_.erase(e.session);
        if (e.type == Type::ok) open(e);
        selecting_.erase(e.session);
        break;
      case What::exists:
        if (const auto selecting = selecting_.find(e.session); selecting != selecting_.end())
          selecting->second.exists = e.get<history::ExistsFacts>().now;
        break;
      case What::observed:
        if (e.code == history::kUnknownCommand && !refused_.contains(e.index))
          if (Box* at = box(e)) {
            at->anything = e.index;
            anywhere_[open_.at(e.session).uidvalidity].some = true;
          }
        break;
      case What::mailbox:  // RFC 6154 section 2: the result of a search, its messages lie in others as well
        if (has_attribute(e.flags, "\\All") || has_attribute(e.flags, "\\Flagged"))
          searches_.emplace(people_.of(c_.history.account_of(e)), e.mailbox);
        break;
      case What::unselect:
        if (e.type == Type::ok) open_.erase(e.session);
        break;
      case What::remove:
      case What::rename:
        if (e.type != Type::invoke || refused_.contains(e.index)) break;
        anything(c_.history.account_of(e), e.mailbox, e);
        if (!e.other_mailbox.empty()) anything(c_.history.account_of(e), e.other_mailbox, e);
        break;
      case What::store:
        store(e);
        break;
      case What::move:
        if (e.type == Type::invoke) asks(e);
        answered(e);
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
        if (Box* at = e.uid == 0 ? nullptr : told_box(e)) gone(*at, e.uid, e, "is told that it is expunged");
        break;
      case What::vanished:
        if (e.code.empty()) break;
        // RFC 7162 section 3.2.10.1: it may answer the SELECT that is on its way.
        if (const auto selecting = selecting_.find(e.session);
            selecting != selecting_.end() && (e.mailbox.empty() || e.mailbox == selecting->second.mailbox))
          selecting->second.vanished.push_back(e.index);
        else if (Box* at = told_box(e))
          vanished(*at, e);
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
    const auto selecting = selecting_.find(e.session);
    Box* at = selecting == selecting_.end() ? nullptr : box(e);
    if (at == nullptr) return;
    for (const std::uint32_t held : selecting->second.asks) ask(c_.history.event(held));
    for (const std::uint32_t told : selecting->second.vanished) vanished(*at, c_.history.event(told));
    // RFC 3501 section 7.3.1: a listing of all of it; only what was told counts, for it may not have been heard.
    if (selecting->second.exists == 0U && e.get<history::SelectFacts>().exists == 0)
      missing(*at, e, "opens the mailbox, which is empty", [](std::uint32_t) { return false; });
  }

  void vanished(Box& at, const Event& e) {
    if (const auto set = uids_in(e.set))
      at.for_each(*set, [&](std::uint32_t uid, Copy&) { gone(at, uid, e, "is told that it has vanished"); });
  }

  /// RFC 3501 section 5.5: it may be asked before the mailbox is open that it is about.
  void asks(const Event& e) {
    const auto selecting = selecting_.find(e.session);
    if (selecting == selecting_.end()) return ask(e);
    selecting->second.asks.push_back(e.index);
  }

  /// "*" is the server's highest, which may be one of which this session was not told yet.
  void ask_open_end(const Event& e, std::uint32_t from, std::string mailbox) {
    open_end_of_[e.index] = open_ends_.size();
    open_ends_.push_back({open_.at(e.session).uidvalidity, from, std::move(mailbox), Time::max()});
  }
  void answered(const Event& e) {
    if (e.type != Type::ok && e.type != Type::fail) return;
    const auto asked = open_end_of_.find(e.command);
    if (asked == open_end_of_.end()) return;
    open_ends_[asked->second].until = e.at + clocks_.apart() + clocks_.slack();
    open_end_of_.erase(asked);
  }

  void ask(const Event& e) {
    Box* at = box(e);
    if (at == nullptr) return;
    // Another account may share the mailbox, under whatever name: its UIDVALIDITY is the same.
    Asked& shared = anywhere_[open_.at(e.session).uidvalidity];
    const std::uint32_t person = people_.of(c_.history.account_of(e));
    const bool searches = searches_.contains({person, open_.at(e.session).mailbox});
    const bool has_star = e.text.find('*') != std::string::npos;
    const auto set = uids_in(e.set);
    if (!set && searches) asked_in_search_.insert(person);
    if (!set && has_star && e.text.starts_with("UID ")) return ask_open_end(e, 1, "");
    if (!set) {  // of which messages is not known
      at->anything = e.index;
      shared.some = true;
      return;
    }
    for (const auto& range : set->ranges()) shared.uids.add(range.first, range.last);
    if (has_star && !set->ranges().empty()) {
      const std::uint32_t last = set->ranges().back().last;
      if (!at->copies.empty()) shared.uids.add(last, std::max(last, at->copies.rbegin()->first));
      ask_open_end(e, last, open_.at(e.session).mailbox);
    }
    if (!searches) return;
    std::uint64_t known = 0;
    at->for_each(*set, [&](std::uint32_t, const Copy& copy) {
      if (copy.message == 0) return;
      asked_by_message_.insert(copy.message);
      ++known;
    });
    if (known < set->named()) asked_in_search_.insert(person);
  }

  void store(const Event& e) {
    const Event& asked = c_.invoke(e);
    const auto what = history::to_deleted(asked.code, asked.flags);
    const bool sets = what == history::ToDeleted::sets, clears = what == history::ToDeleted::clears;
    if (e.type == Type::invoke && sets) asks(e);
    answered(e);
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
    if (at != nullptr && e.type == Type::ok && e.what == What::expunge) at->expunges = true;
    // RFC 4314 section 4: who may not expunge is answered OK to CLOSE, and nothing is removed.
    const bool may = e.what == What::expunge || (at != nullptr && at->expunges);
    if (at != nullptr && e.type == Type::ok && open->second.writable && may) {
      const Event& asked = c_.invoke(e);
      const auto only = uids_in(asked.set);
      const bool all = asked.set.empty() && asked.text.empty();
      for (auto& [uid, copy] : at->copies) {
        const bool meant = all || (only && only->covers(uid));
        if (meant && copy.marked != 0 && clocks_.before(copy.marked, asked.index)) copy.removed = e.index;
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
    if (copy.gone != 0 && clocks_.before(copy.gone, since)) {
      if (!removals_) again(copy, e);
      copy.gone = 0;
    }
    if (copy.removed != 0 && clocks_.before(copy.removed, since) && removals_ && all_) {
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
    if (copy.first == 0) copy.first = e.index;
    if (e.what == What::message && e.message != 0) copy.message = e.message;
    if (!e.has_flags) return;
    if (history::has_deleted(e.flags)) copy.asked = e.index;  // whoever did it
    if (copy.unmarked == 0) copy.unmarked = e.index;
  }

  void again(const Copy& copy, const Event& e) {
    const Event& told = c_.history.event(copy.gone);
    c_.find(
        "expunge-of-the-living",
        {fmt::format("{} ({}) is gone for good", what(copy), where(e, e.uid)),
         fmt::format("{} was told so at {}; {}, who opened the mailbox after that, finds it under the same UID at {}",
                     c_.who(told), c_.when(told), c_.who(e), c_.when(e)),
         {copy.gone, e.index},
         copy.message,
         ""});
  }

  /// It, or something of which nobody knows what it is, or anything at all where nobody knows what this is.
  bool taken_over_pop3(const Suspect& s) const {
    if (!iequals(std::get<1>(s.box), "INBOX")) return false;
    for (const std::uint32_t person : {people_.of(std::get<0>(s.box)), People::kNobodyKnows}) {
      const auto taken = over_pop3_.find(person);
      if (taken == over_pop3_.end()) continue;
      if (s.message == 0 || taken->second.contains(s.message) || taken->second.contains(0)) return true;
      // Two with one Message-ID may be one whose text the server changed.
      const std::string& id = c_.history.message(s.message).message_id;
      if (!id.empty() && std::any_of(taken->second.begin(), taken->second.end(),
                                     [&](std::uint32_t other) { return c_.history.message(other).message_id == id; }))
        return true;
    }
    return false;
  }

  bool asked_anywhere(const Suspect& s) const {
    if (asked_by_message_.contains(s.message)) return true;
    for (const std::uint32_t person : {people_.of(std::get<0>(s.box)), People::kNobodyKnows})
      if (asked_in_search_.contains(person)) return true;
    if (std::any_of(open_ends_.begin(), open_ends_.end(), [&](const OpenEnd& one) {
          return one.uidvalidity == std::get<2>(s.box) && s.uid >= one.from && s.first <= one.until &&
                 (one.mailbox.empty() || ends_alike(one.mailbox, std::get<1>(s.box)));
        }))
      return true;
    const auto asked = anywhere_.find(std::get<2>(s.box));
    return asked != anywhere_.end() && (asked->second.some || asked->second.uids.contains(s.uid));
  }

  /// The mailbox, or one above it, was deleted or renamed; under whatever name its owner logs in.
  bool asked_of(const Key& key) const {
    return std::any_of(asked_of_.begin(), asked_of_.end(), [&](const auto& one) {
      return people_.may_be_one(one.first, std::get<0>(key)) && may_lie_below(std::get<1>(key), one.second);
    });
  }

  void gone(Box& at, std::uint32_t uid, const Event& e, std::string_view how) {
    const auto found = at.copies.find(uid);
    if (found == at.copies.end()) return;
    Copy& copy = found->second;
    const Key key{c_.history.account_of(e), open_.at(e.session).mailbox, open_.at(e.session).uidvalidity};
    const bool known = people_.of(std::get<0>(key)) != People::kNobodyKnows;
    if (removals_ && all_ && known && copy.unmarked != 0 && copy.gone == 0 && copy.asked == 0 && at.anything == 0)
      suspects_.push_back(
          {e.at + clocks_.slack(),
           key,
           uid,
           copy.message,
           c_.history.event(copy.first).at,
           {fmt::format("{} stays, {}: nobody marked it, moved it or deleted the mailbox", what(copy), where(e, uid)),
            fmt::format("{} {} at {}; it was last seen by {} at {}", c_.who(e), how, c_.when(e),
                        c_.who(c_.history.event(copy.seen)), c_.when(c_.history.event(copy.seen))),
            {copy.seen, e.index},
            copy.message,
            ""}});
    if (copy.gone == 0) copy.gone = e.index;
  }

  /// Of what was told so long ago all is known that may have been asked before.
  void accuse(Time now) {
    for (; !suspects_.empty() && suspects_.front().until < now; suspects_.pop_front()) {
      Suspect& s = suspects_.front();
      const Box& box = boxes_.at(s.box);
      const auto copy = box.copies.find(s.uid);
      const bool marked = copy != box.copies.end() && copy->second.asked != 0;
      if (!marked && box.anything == 0 && !asked_of(s.box) && !taken_over_pop3(s) && !asked_anywhere(s))
        c_.find("unasked", std::move(s.facts));
    }
  }

  /// What others saw before this session began, and is not there, is gone.
  template <class There>
  void missing(Box& at, const Event& e, std::string_view how, There&& there) {
    const std::uint32_t since = open_.at(e.session).since;
    for (auto& [uid, copy] : at.copies)
      if (copy.seen != 0 && copy.gone == 0 && clocks_.before(copy.seen, since) && !there(uid)) gone(at, uid, e, how);
  }

  /// All numbers of the view were told.
  void listed(const Event& e) {
    const View* view = track_.view(e.session);
    Box* at = box(e);
    if (at == nullptr || view == nullptr || !view->sure || view->selecting || view->numbers.told() < view->exists)
      return;
    std::vector<std::uint32_t> there = view->numbers.uids();
    if (std::find(there.begin(), there.end(), 0U) != there.end()) return;
    std::sort(there.begin(), there.end());
    missing(*at, e, "has a complete listing without it",
            [&](std::uint32_t uid) { return std::binary_search(there.begin(), there.end(), uid); });
  }

  /// UID SEARCH ALL that found as many as there are.
  void searched(const Event& e) {
    const std::string_view query = search_criteria(c_.invoke(e).text);
    if (!iequals(query, "ALL") && !iequals(query, "UID 1:*") && query != "1:*") return;
    const View* view = track_.view(e.session);
    Box* at = box(e);
    const auto found = uids_in(e.set);
    if (at == nullptr || view == nullptr || !view->sure || view->selecting || !found || found->named() < view->exists)
      return;
    missing(*at, e, "has a complete result of UID SEARCH without it",
            [&](std::uint32_t uid) { return found->covers(uid); });
  }

  Case& c_;
  ViewTrack track_;
  People people_;
  Clocks clocks_;
  std::set<std::uint32_t> refused_;
  bool removals_;
  bool all_;
  std::map<std::uint32_t, Open> open_;            ///< by session
  std::map<std::uint32_t, Selecting> selecting_;  ///< by session
  std::deque<Suspect> suspects_;                  ///< in the order of time
  std::map<Key, Box> boxes_;                      ///< account, mailbox, UIDVALIDITY
  std::vector<std::pair<std::uint32_t, std::string>> asked_of_;
  std::map<std::uint32_t, Asked> anywhere_;  ///< by UIDVALIDITY
  std::vector<OpenEnd> open_ends_;
  std::map<std::uint32_t, std::size_t> open_end_of_;            ///< the invoke, without an answer yet -> open_ends_
  std::set<std::pair<std::uint32_t, std::string>> searches_;    ///< person and mailbox
  std::set<std::uint32_t> asked_by_message_;                    ///< in one of them
  std::set<std::uint32_t> asked_in_search_;                     ///< people: in one of them, of which is not known
  std::map<std::uint32_t, std::set<std::uint32_t>> over_pop3_;  ///< by person: messages; 0 = one that nobody knows
};

}  // namespace
}  // namespace heard

bool heard_all(const history::History& history) { return history.info.all_clients && heard_in_part(history) == 0; }

void judge_heard_removals(Case& c) {
  heard::ImapHeard imap(c, true);
  for (const history::Event& e : c.history.events()) imap.apply(e);
  imap.finish();
  judge_heard_maildrops(c);
}

std::vector<Absence> heard_absences(const history::History& history, const history::Ledger& ledger) {
  std::vector<Finding> none;
  Case c(history, ledger, "removal", none);
  heard::ImapHeard imap(c, true);
  for (const history::Event& e : history.events()) imap.apply(e);
  std::vector<Absence> out;
  imap.absences(out);
  heard_absences_of_maildrops(c, out);
  return out;
}

void judge_heard_again(Case& c) {
  heard::ImapHeard imap(c, false);
  for (const history::Event& e : c.history.events()) imap.apply(e);
}

}  // namespace mailproof::judge
