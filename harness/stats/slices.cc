#include "stats/slices.h"

namespace mailproof::stats {

void Gauge::settle(Time now) {
  if (now <= last_) return;
  if (now_ > 0) span(last_, now, static_cast<std::uint64_t>(now_));
  last_ = now;
}

void Gauge::span(Time from, Time to, std::uint64_t times) {
  from = std::max(from, zero_);
  while (from < to) {
    Level& level = levels_.at(from - zero_);  // may widen the slices
    const Duration width = levels_.width();
    const Duration part = std::min<Duration>(width - (from - zero_) % width, to - from);
    level.area += static_cast<std::uint64_t>(part.count()) * times;
    from += part;
  }
}

}  // namespace mailproof::stats
