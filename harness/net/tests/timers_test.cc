#include "net/timers.h"

#include <gtest/gtest.h>

#include <map>

#include "core/rng.h"

namespace mailproof::net {
namespace {

struct Plain final : Timer {
  void fire(Time) override {}
};

/// Against a sorted map of (time, order set): any mix of set, move, clear and pop gives the same sequence.
TEST(TimersTest, AgreesWithASortedMapOverAnyMixOfCalls) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Rng rng(seed);
    Timers timers;
    std::vector<Plain> all(40);
    std::map<std::pair<Time, int>, Timer*> model;
    std::map<Timer*, std::pair<Time, int>> where;
    const auto forget = [&](Timer& timer) {
      if (const auto known = where.find(&timer); known != where.end()) {
        model.erase(known->second);
        where.erase(known);
      }
    };
    for (int step = 0; step < 2000; ++step) {
      Timer& timer = all[rng.below(40)];
      const Time at{Duration(rng.below(30))};
      switch (rng.below(4)) {
        case 0:
        case 1:
          forget(timer);
          where[&timer] = {at, step};
          model[{at, step}] = &timer;
          timers.set(timer, at);
          EXPECT_EQ(timers.due(timer), at);
          break;
        case 2:
          forget(timer);
          timers.clear(timer);
          EXPECT_FALSE(timer.armed());
          break;
        default: {
          Timer* due = timers.pop_due(at);
          if (model.empty() || model.begin()->first.first > at) {
            ASSERT_EQ(due, nullptr);
          } else {
            ASSERT_EQ(due, model.begin()->second);
            forget(*due);
          }
        }
      }
      ASSERT_EQ(timers.size(), model.size());
      ASSERT_EQ(timers.next().has_value(), !model.empty());
      if (!model.empty()) {
        ASSERT_EQ(timers.next(), model.begin()->first.first);
      }
    }
  }
}

}  // namespace
}  // namespace mailproof::net
