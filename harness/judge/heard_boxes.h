#pragma once
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/time.h"
#include "judge/case.h"
#include "wire/imap/sequence_set.h"

/// What the judge of recordings (heard.cc) keeps of mailboxes that others looked at.
namespace mailproof::judge::heard {

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

/// One UID of one mailbox that somebody saw. All are events; 0 = it never happened.
struct Copy {
  std::uint32_t first = 0, seen = 0, message = 0;
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

/// A set with a "*" that was asked for: whatever was there when it was answered.
struct OpenEnd {
  std::uint32_t uidvalidity = 0, from = 0;
  std::string mailbox;       ///< "" = of whichever name
  Time until = Time::max();  ///< when it surely was answered
};

/// A mailbox with one UIDVALIDITY.
struct Box {
  std::map<std::uint32_t, Copy> copies;
  bool expunges = false;  ///< an EXPUNGE was answered OK: who reads it may (RFC 4314 section 4, the right "e")
  /// Those of a set that were seen: f(uid, copy).
  template <class F>
  void for_each(const imap::SequenceSet& set, F&& f) {
    for (const auto& range : set.ranges())
      for (auto at = copies.lower_bound(range.first); at != copies.end() && at->first <= range.last; ++at)
        f(at->first, at->second);
  }
  std::uint32_t anything = 0;  ///< asked for that may remove any message
};

/// A SELECT that has no answer yet.
struct Selecting {
  std::string mailbox;
  std::vector<std::uint32_t> vanished;  ///< told of what it opens, whose UIDVALIDITY only its answer confirms
  std::optional<std::uint32_t> exists;  ///< as told behind it
  std::vector<std::uint32_t> asks;      ///< pipelined behind it, of what it opens
};

struct Open {
  std::string mailbox;
  std::uint32_t uidvalidity = 0;
  std::uint32_t since = 0;  ///< when it was asked for: what was answered before that, the server had done
  bool writable = false;
};

using Key = std::tuple<std::uint32_t, std::string, std::uint32_t>;  ///< account, mailbox, UIDVALIDITY

/// Of what seems to have gone unasked.
struct Suspect {
  Time until;  ///< what is asked up to then may have been asked before
  Key box;
  std::uint32_t uid = 0, message = 0;
  Time first;  ///< when it was seen first
  Case::Facts facts;
};

/// What an event's set names, each UID once; nothing where that is not known.
std::optional<imap::SequenceSet> uids_in(const std::string& set);
bool has_attribute(std::string_view attributes, std::string_view one);
/// Whether a mailbox may be this one or lie below it: "Arch" is not above "Archive".
bool may_lie_below(std::string_view mailbox, std::string_view above);
/// One mailbox may have two names that end alike: "Lists", "shared/alice/Lists", "user.alice.Lists".
bool ends_alike(std::string_view one, std::string_view other);
/// A search without its "RETURN (ALL)", which brings all of it, and without its charset.
std::string_view search_criteria(std::string_view query);

}  // namespace mailproof::judge::heard
