#include "play/learnt.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailproof::play {

void Learnt::arrived(Duration after) {
  const std::lock_guard lock(mutex_);
  newest_.resize(std::max(newest_.size(), std::min<std::size_t>(arrived_ + 1, kNewest)));
  newest_[arrived_++ % kNewest] = after;
}

void Learnt::lost() {
  const std::lock_guard lock(mutex_);
  ++lost_;
}

bool Learnt::loses() const {
  const std::lock_guard lock(mutex_);
  return known();
}

Duration Learnt::enough(Duration bound) const {
  const std::lock_guard lock(mutex_);
  if (!known()) return bound;
  std::vector<Duration> sorted = newest_;
  const auto slow = sorted.begin() + static_cast<std::ptrdiff_t>((sorted.size() * 9 - 1) / 10);
  std::nth_element(sorted.begin(), slow, sorted.end());
  return std::min(bound, std::max(kLeast, *slow * kMultiple));
}

std::optional<WayIn> Learnt::way_in(const std::string& door) const {
  const std::lock_guard lock(mutex_);
  const auto found = ways_in_.find(door);
  return found == ways_in_.end() ? std::nullopt : std::optional(found->second);
}

void Learnt::way_in(const std::string& door, WayIn way) {
  const std::lock_guard lock(mutex_);
  ways_in_[door] = way;
}

std::optional<Hierarchy> Learnt::hierarchy(const std::string& account) const {
  const std::lock_guard lock(mutex_);
  const auto found = hierarchies_.find(account);
  return found == hierarchies_.end() ? std::nullopt : std::optional(found->second);
}

void Learnt::hierarchy(const std::string& account, Hierarchy told) {
  const std::lock_guard lock(mutex_);
  hierarchies_[account] = std::move(told);
}

Duration look_again_after(Duration waited) {
  return std::clamp<Duration>(waited, std::chrono::milliseconds(50), std::chrono::seconds(1));
}

std::string waited_only(Duration waited) {
  return fmt::format("waited for {} only: accepted mail has stayed away before in this run", format_duration(waited));
}

}  // namespace mailproof::play
