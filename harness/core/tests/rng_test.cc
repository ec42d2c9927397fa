#include "core/rng.h"

#include <gtest/gtest.h>

#include <set>

namespace mailproof {
namespace {

TEST(Rng, ReplaysForEver) {
  // These numbers are part of every recorded seed's meaning: a change here breaks all "reproduce" commands ever
  // printed.
  Rng rng(1);
  const std::uint32_t first[] = {rng.next(), rng.next(), rng.next()};
  Rng again(1);
  for (const auto value : first) EXPECT_EQ(again.next(), value);
  EXPECT_EQ(mix(0), 0xe220a8397b1dcdafULL);  // splitmix64's published first output for seed 0
}

TEST(Rng, StreamsOfDifferentPurposesDiffer) {
  std::set<std::uint64_t> seeds;
  for (const char* purpose : {"", "a", "b", "ab", "ba"})
    for (std::uint64_t n = 0; n < 100; ++n) seeds.insert(derive_seed(42, purpose, n));
  EXPECT_EQ(seeds.size(), 500U);
}

TEST(Rng, BelowCoversItsRangeEvenly) {
  Rng rng(3);
  int counts[10] = {};
  for (int i = 0; i < 100'000; ++i) ++counts[rng.below(10)];
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 500);
}

}  // namespace
}  // namespace mailproof
