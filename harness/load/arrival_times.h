#pragma once
#include <optional>

#include "core/rng.h"
#include "load/level.h"

namespace mailproof::load {

/// When deliveries are due, one after the other, since the run's start. Open arrivals: nothing that the server does
/// moves them. The same plan and seed give the same times on every thread.
class ArrivalTimes {
 public:
  ArrivalTimes(const scenario::Deliveries& deliveries, const Level& level, std::uint64_t seed);
  std::optional<Duration> next();  ///< ascending; nothing: no more come

 private:
  const scenario::Deliveries& deliveries_;
  const Level& level_;
  Rng rng_;
  std::size_t number_ = 0;
  double area_ = 0;  ///< in deliveries
};

/// How many are due until then, as far as chance allows to say.
double expected_arrivals(const scenario::Deliveries& deliveries, const Level& level, Duration until);

}  // namespace mailproof::load
