#include "play/learnt.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailproof::play {

void Learnt::arrived(Duration after) {
  const std::lock_guard lock(mutex_);
  ++arrived_;
  slowest_ = std::max(slowest_, after);
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
  return known() ? std::min(bound, std::max(kLeast, slowest_ * kMultiple)) : bound;
}

std::string waited_only(Duration waited) {
  return fmt::format("waited for {} only: the run has seen this server lose mail before", format_duration(waited));
}

}  // namespace mailproof::play
