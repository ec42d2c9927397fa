#include "load/arrival_times.h"

#include <algorithm>
#include <cmath>

namespace mailproof::load {

ArrivalTimes::ArrivalTimes(const scenario::Deliveries& deliveries, const Level& level, std::uint64_t seed)
    : deliveries_(deliveries), level_(level), rng_(derive_seed(seed, "arrivals")) {}

std::optional<Duration> ArrivalTimes::next() {
  using scenario::Spacing;
  if (deliveries_.spacing == Spacing::recorded) {
    if (number_ >= deliveries_.recorded.size() || deliveries_.recorded[number_] >= level_.length()) return std::nullopt;
    return deliveries_.recorded[number_++];
  }
  if (deliveries_.rate <= 0) return std::nullopt;
  if (deliveries_.spacing == Spacing::poisson) {
    const double uniform = (static_cast<double>(rng_.next()) + 0.5) / 4294967296.0;
    area_ -= std::log(uniform);
  } else {
    area_ = static_cast<double>(++number_);
  }
  const auto at = level_.when(area_ / deliveries_.rate);
  return at && *at < level_.length() ? at : std::nullopt;  // the end is no part of the run
}

double expected_arrivals(const scenario::Deliveries& deliveries, const Level& level, Duration until) {
  if (deliveries.spacing == scenario::Spacing::recorded)
    return static_cast<double>(std::count_if(deliveries.recorded.begin(), deliveries.recorded.end(),
                                             [&](Duration at) { return at < std::min(until, level.length()); }));
  return deliveries.rate * level.area(until);
}

}  // namespace mailproof::load
