#include "server/imap/view.h"

#include <algorithm>

namespace mailproof::server {

ImapView::ImapView(AccountState& account, std::shared_ptr<Mailbox> mailbox, bool read_only, Listener& listener)
    : account_(account), mailbox_(std::move(mailbox)), listener_(listener), read_only_(read_only) {
  const Uid recent_from = read_only_ ? mailbox_->recent_from() : mailbox_->claim_recent();
  entries_.reserve(mailbox_->messages().size());
  for (const auto& message : mailbox_->messages()) add(message, recent_from);
  mailbox_->watch(*this);
  if (!read_only_) mailbox_->opened();
}

ImapView::~ImapView() {
  mailbox_->unwatch(*this);
  if (!read_only_) mailbox_->closed();
}

void ImapView::add(const MessagePtr& message, Uid recent_from) {
  entries_.push_back({.message = message, .recent = message->uid >= recent_from});
}

std::size_t ImapView::recent() const {
  return static_cast<std::size_t>(
      std::count_if(entries_.begin(), entries_.end(), [](const Entry& entry) { return entry.recent; }));
}

ImapView::Entry* ImapView::find(Uid uid) {
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), uid,
                                   [](const Entry& entry, Uid wanted) { return entry.message->uid < wanted; });
  return at != entries_.end() && at->message->uid == uid ? &*at : nullptr;
}

std::optional<std::vector<std::size_t>> ImapView::resolve(imap::SequenceSet set, bool by_uid) const {
  const auto largest = by_uid ? last_uid() : static_cast<std::uint32_t>(size());
  std::vector<std::size_t> found;
  if (largest == 0) return by_uid ? std::optional(found) : std::nullopt;
  set.normalise(largest);
  for (const auto& range : set.ranges()) {
    if (!by_uid) {
      if (range.last > largest) return std::nullopt;
      for (std::size_t number = range.first; number <= range.last; ++number) found.push_back(number - 1);
      continue;
    }
    auto at = std::lower_bound(entries_.begin(), entries_.end(), range.first,
                               [](const Entry& entry, Uid wanted) { return entry.message->uid < wanted; });
    for (; at != entries_.end() && at->message->uid <= range.last; ++at) {
      found.push_back(static_cast<std::size_t>(at - entries_.begin()));
    }
  }
  return found;
}

std::vector<ImapView::Removal> ImapView::take_removals() {
  std::vector<Removal> removals;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const auto& entry = entries_[i];
    if (!entry.message->expunged) continue;
    if (entry.flags_changed) --flag_changes_;
    removals.push_back({.number = i + 1 - removals.size(), .uid = entry.message->uid});
  }
  std::erase_if(entries_, [](const Entry& entry) { return entry.message->expunged; });
  removals_ = 0;
  return removals;
}

void ImapView::take_arrivals() {
  const Uid recent_from = read_only_ ? mailbox_->recent_from() : mailbox_->claim_recent();
  for (const auto& message : arrivals_) add(message, recent_from);
  arrivals_.clear();
}

void ImapView::told(Entry& entry) {
  if (!entry.flags_changed) return;
  entry.flags_changed = false;
  --flag_changes_;
}

void ImapView::on_append(const MessagePtr& message) {
  arrivals_.push_back(message);
  listener_.on_view_stale();
}

void ImapView::on_expunge(const MessagePtr& message) {
  if (std::erase(arrivals_, message) > 0) return;
  ++removals_;
  listener_.on_view_stale();
}

void ImapView::on_flags(const MessagePtr& message) {
  auto* entry = find(message->uid);
  if (entry == nullptr || entry->flags_changed) return;
  entry->flags_changed = true;
  ++flag_changes_;
  listener_.on_view_stale();
}

}  // namespace mailproof::server
