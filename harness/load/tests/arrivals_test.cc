#include <gtest/gtest.h>

#include "load/shard.h"

namespace mailproof::load {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(Arrivals, AreDueAtTheirRate) {
  const Arrivals arrivals{20, 1200, 0, 1};
  EXPECT_EQ(arrivals.due(0), Duration{});
  EXPECT_EQ(arrivals.due(1), milliseconds(50));
  EXPECT_EQ(arrivals.due(1200), seconds(60));
}

/// Counted from the start, not from the one before: a rate that is no round number of nanoseconds does not drift.
TEST(Arrivals, DoNotDrift) {
  const Arrivals arrivals{3, 10'800, 0, 1};
  EXPECT_EQ(arrivals.due(10'800), hours(1));
  for (std::uint32_t copy = 1; copy <= 10'800; ++copy) {
    const Duration gap = arrivals.due(copy) - arrivals.due(copy - 1);
    ASSERT_GE(gap, nanoseconds(333'333'332)) << copy;
    ASSERT_LE(gap, nanoseconds(333'333'335)) << copy;
  }
}

TEST(Arrivals, SlowerThanOneASecondKeepTheirDistance) { EXPECT_EQ((Arrivals{0.5, 10, 0, 1}.due(3)), seconds(6)); }

/// Three stories at the same rate take turns, and stay apart.
TEST(Arrivals, OfSeveralStoriesTakeTurns) {
  const Arrivals first{5, 100, 0, 1, milliseconds(0)}, second{5, 100, 0, 1, milliseconds(66)};
  EXPECT_EQ(second.due(0), milliseconds(66));
  for (std::uint32_t copy = 0; copy < 100; ++copy)
    ASSERT_EQ(second.due(copy) - first.due(copy), milliseconds(66)) << copy;
}

}  // namespace
}  // namespace mailproof::load
