#include "play/one_by_one.h"

#include <gtest/gtest.h>

#include <vector>

namespace mailproof::play {
namespace {

TEST(OneByOne, InOrderWhetherEachIsDoneAtOnceOrLater) {
  std::vector<std::size_t> seen;
  Finish waiting;
  bool over = false;
  one_by_one(
      5,
      [&](std::size_t i, Finish next) {
        seen.push_back(i);
        i == 2 ? void(waiting = std::move(next)) : next();
      },
      [&] { over = true; });
  EXPECT_EQ(seen, (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_FALSE(over);
  std::exchange(waiting, {})();
  EXPECT_EQ(seen, (std::vector<std::size_t>{0, 1, 2, 3, 4}));
  EXPECT_TRUE(over);
}

TEST(OneByOne, NothingToDoIsDone) {
  bool over = false;
  one_by_one(
      0, [](std::size_t, Finish) { FAIL(); }, [&] { over = true; });
  EXPECT_TRUE(over);
}

/// Eight megabytes of stack hold some fifty thousand frames of a continuation that calls the next one.
TEST(OneByOne, TheStackDoesNotGrow) {
  std::size_t done = 0;
  one_by_one(
      3'000'000, [&](std::size_t, Finish next) { ++done, next(); }, [] {});
  EXPECT_EQ(done, 3'000'000U);
}

}  // namespace
}  // namespace mailproof::play
