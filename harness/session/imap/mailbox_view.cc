#include "session/imap/mailbox_view.h"

#include <algorithm>
#include <limits>

#include "core/bytes.h"

namespace mailproof::session {

bool ImapView::keeps(std::string_view flag) const {
  if (permanent_flags == nullptr) return true;
  const bool keyword = !flag.starts_with('\\');
  return std::any_of(permanent_flags->begin(), permanent_flags->end(),
                     [&](const std::string& one) { return iequals(one, flag) || (keyword && one == "\\*"); });
}

void ImapMailboxView::select_sent(std::string_view mailbox) {
  selected_ = mailbox;
  selecting_ = true;
  answering_ = false;
  counted_ = false;
}

void ImapMailboxView::select_answering() {
  if (!selecting_ || answering_) return;
  closed();
  selecting_ = true;
  answering_ = true;
}

void ImapMailboxView::select_done(bool ok, bool read_only) {
  if (ok) {
    select_answering();
    view_.mailbox = selected_;
    view_.read_only = read_only;
  } else {
    closed();
  }
  selecting_ = false;
  answering_ = false;
}

void ImapMailboxView::closed() {
  view_.mailbox.clear();
  view_.read_only = false;
  view_.uidvalidity = 0;
  view_.uidnext = 0;
  view_.highestmodseq = 0;
  view_.permanent_flags.reset();
  view_.exists = 0;
  view_.uids.clear();
  selecting_ = false;
}

std::string_view ImapMailboxView::exists(std::uint32_t n, std::uint32_t& before) {
  before = view_.exists;
  counted_ = true;
  view_.exists = n;
  if (view_.uids.size() > n) view_.uids.resize(n);
  return n < before && !selecting_ ? "imap.exists.decreased" : "";
}

std::string_view ImapMailboxView::expunge(std::uint32_t seq, std::uint32_t& uid) {
  uid = 0;
  if (seq == 0 || seq > view_.exists) return "imap.expunge.out_of_range";
  if (seq <= view_.uids.size()) {
    const auto at = view_.uids.begin() + static_cast<std::ptrdiff_t>(seq - 1);
    uid = *at;
    view_.uids.erase(at);
  }
  --view_.exists;
  return "";
}

std::string_view ImapMailboxView::fetched(std::uint32_t seq, std::uint32_t& uid) {
  // A row may come before EXISTS: RFC 9051 section 6.3.2 gives what answers SELECT no order.
  if (seq > view_.exists) return selecting_ && !counted_ ? "" : "imap.fetch.out_of_range";
  const bool told = seq <= view_.uids.size();
  if (uid == 0) {
    if (told) uid = view_.uids[seq - 1];
    return "";
  }
  if (!told) view_.uids.resize(seq);
  std::uint32_t& known = view_.uids[seq - 1];
  const bool changed = known != 0 && known != uid;
  known = uid;
  return changed ? "imap.uid.changed" : "";
}

const ImapMailboxView::Vanished& ImapMailboxView::vanished(imap::SequenceSet uids) {
  vanished_.known.clear();
  uids.normalise();
  const auto& ranges = uids.ranges();
  std::vector<std::uint32_t>& known = view_.uids;
  const auto range_from = [&](std::uint32_t uid) {
    return std::lower_bound(ranges.begin(), ranges.end(), uid,
                            [](const imap::SequenceSet::Range& r, std::uint32_t n) { return r.last < n; });
  };
  // How many of each range are not among the known UIDs; only those can be messages whose UID we never learnt.
  std::vector<std::uint64_t> unknown(ranges.size());
  for (std::size_t i = 0; i < ranges.size(); ++i) unknown[i] = std::uint64_t{ranges[i].last} - ranges[i].first + 1;
  for (const std::uint32_t uid : known) {
    if (uid == 0) continue;
    const auto range = range_from(uid);
    if (range == ranges.end() || range->first > uid) continue;
    // A UID that a lying server gave to two messages counts once.
    std::uint64_t& left = unknown[static_cast<std::size_t>(range - ranges.begin())];
    left -= left > 0 ? 1 : 0;
  }
  // UIDs ascend with sequence numbers, so an unknown one lies between its known neighbours.
  std::vector<std::uint32_t> next_known(known.size());
  std::uint32_t next = std::numeric_limits<std::uint32_t>::max();
  for (std::size_t i = known.size(); i-- > 0;) {
    next_known[i] = next;
    if (known[i] != 0) next = known[i];
  }
  std::uint32_t previous = 0;
  std::size_t kept = 0;
  auto open = ranges.begin();  // what is used up before it stays so
  for (std::size_t i = 0; i < known.size(); ++i) {
    const std::uint32_t uid = known[i];
    bool gone = false;
    if (uid != 0) {
      const auto range = range_from(uid);
      gone = range != ranges.end() && range->first <= uid;
      previous = uid;
    } else {
      open = std::max(open, range_from(previous + 1));
      while (open != ranges.end() && open->first < next_known[i]) {
        std::uint64_t& left = unknown[static_cast<std::size_t>(open - ranges.begin())];
        gone = left > 0;
        if (gone) break;
        ++open;
      }
      if (gone) --unknown[static_cast<std::size_t>(open - ranges.begin())];
    }
    if (gone)
      vanished_.known.push_back({static_cast<std::uint32_t>(kept + 1), uid});
    else
      known[kept++] = uid;
  }
  // Those of which nothing was told lie behind all the others: as many of them went as have a place there.
  std::uint64_t left = 0;
  for (auto range = std::max(open, range_from(previous + 1)); range != ranges.end(); ++range)
    left += unknown[static_cast<std::size_t>(range - ranges.begin())];
  const auto behind = static_cast<std::uint32_t>(view_.exists - known.size());
  vanished_.behind = static_cast<std::uint32_t>(std::min<std::uint64_t>(behind, left));
  vanished_.seq_behind = static_cast<std::uint32_t>(kept + 1);
  known.resize(kept);
  view_.exists = static_cast<std::uint32_t>(kept) + behind - vanished_.behind;
  return vanished_;
}

}  // namespace mailproof::session
