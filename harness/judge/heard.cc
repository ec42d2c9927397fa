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
#include "history/flags.h"
#include "history/heard.h"
#include "judge/view_track.h"
#include "wire/imap/sequence_set.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::Type;
using history::What;

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
    const bool sets = history::has_deleted(asked.flags) && !takes;
    const bool clears = history::has_deleted(asked.flags) ? takes : !adds && !takes;
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
    if (history::has_deleted(e.flags)) copy.asked = e.index;  // whoever did it
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

}  // namespace

bool heard_all(const history::History& history) {
  const auto& events = history.events();
  return history.info.all_clients && std::none_of(events.begin(), events.end(), [](const Event& e) {
           return (e.what == What::connect && e.code == history::kMiddle) ||
                  (e.what == What::end && e.code == history::kBlind);
         });
}

void judge_heard_removals(Case& c) {
  ImapHeard imap(c, true);
  for (const Event& e : c.history.events()) imap.apply(e);
  judge_heard_maildrops(c);
}

void judge_heard_again(Case& c) {
  ImapHeard imap(c, false);
  for (const Event& e : c.history.events()) imap.apply(e);
}

}  // namespace mailproof::judge
