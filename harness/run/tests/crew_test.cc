#include "run/crew.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>

namespace mailproof::run {
namespace {

TEST(Crew, DoesEveryPieceOnce) {
  std::atomic<int> next{0}, done{0};
  Crew crew(4, [&] {
    if (next++ >= 100) return false;
    ++done;
    return true;
  });
  crew.run();
  EXPECT_EQ(done, 100);
}

// Of two at work both wait, and cannot go on before the third piece is done: another has taken a place.
TEST(Crew, WhoWaitsHasAnotherTakeItsPlace) {
  std::atomic<int> next{0}, at_work{0}, most{0};
  std::latch third(1);
  Crew* self = nullptr;
  Crew crew(2, [&] {
    const int piece = next++;
    if (piece >= 20) return false;
    if (piece < 2) {
      self->waits(true);
      third.wait();
      self->waits(false);
      return true;
    }
    const int now = ++at_work;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    if (piece == 2) third.count_down();
    --at_work;
    return true;
  });
  self = &crew;
  crew.run();
  EXPECT_GE(next, 20);
  EXPECT_LE(most, 4) << "those that waited, and those in their places";
}

TEST(Crew, OneAloneIsAlone) {
  std::atomic<int> next{0}, at_work{0};
  Crew* self = nullptr;
  Crew crew(1, [&] {
    if (next++ >= 5) return false;
    EXPECT_EQ(++at_work, 1);
    self->waits(true);
    self->waits(false);
    --at_work;
    return true;
  });
  self = &crew;
  crew.run();
}

}  // namespace
}  // namespace mailproof::run
