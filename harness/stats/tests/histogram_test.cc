#include "stats/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/rng.h"
#include "stats/compact.h"

namespace mailproof::stats {
namespace {

constexpr double kError = 1.0 / 128;

/// Latencies as servers have them: most near a floor, a long tail, now and then a stall. 1 us to 1 h.
std::vector<Duration> latencies(std::uint64_t seed, std::size_t n) {
  Rng rng(seed);
  std::vector<Duration> all;
  all.reserve(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double exponent = static_cast<double>(rng.below(1'000'000)) / 1'000'000.0 * (rng.one_in(10) ? 6.5 : 2.0);
    all.emplace_back(static_cast<Duration::rep>(1000.0 * std::pow(10.0, 1.0 + exponent)));
  }
  return all;
}

Histogram of(const std::vector<Duration>& values) {
  Histogram made;
  for (const Duration value : values) made.add(value);
  return made;
}

/// The exact answer: the smallest value that at least `percent` of all do not exceed.
Duration exact(const std::vector<Duration>& sorted, double percent) {
  const auto rank = static_cast<std::size_t>(std::ceil(percent / 100.0 * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

TEST(HistogramTest, PercentilesAgainstSorting) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    auto values = latencies(seed, 1 + 997 * seed);
    const Histogram histogram = of(values);
    std::sort(values.begin(), values.end());
    for (const double percent : {0.0, 0.1, 1.0, 25.0, 50.0, 90.0, 95.0, 99.0, 99.9, 99.99, 100.0}) {
      const Duration truth = exact(values, percent);
      const Duration told = histogram.percentile(percent);
      ASSERT_GE(told, truth) << percent;
      ASSERT_LE(static_cast<double>(told.count()), static_cast<double>(truth.count()) * (1 + kError)) << percent;
    }
    EXPECT_EQ(histogram.percentile(100), values.back());
    EXPECT_EQ(histogram.min(), values.front());
    EXPECT_EQ(histogram.max(), values.back());
    EXPECT_EQ(histogram.count(), values.size());
    Duration sum{};
    for (const Duration value : values) sum += value;
    EXPECT_EQ(histogram.mean(), sum / static_cast<Duration::rep>(values.size()));
  }
}

/// Both ends of every bucket: neighbours touch, nothing is in two, and no bucket is wider than promised.
TEST(HistogramTest, BucketsCoverTheRangeWithoutGapAndNoneIsTooWide) {
  Duration value = Histogram::kLowest;
  int buckets = 0;
  while (value <= Histogram::kHighest) {
    Histogram one;
    one.add(value);
    Duration low{};
    Duration high{};
    one.for_each([&](Duration from, Duration to, std::uint64_t n) {
      low = from;
      high = to;
      EXPECT_EQ(n, 1U);
    });
    ASSERT_LE(low, value);
    ASSERT_GE(high, value);
    ASSERT_LE(static_cast<double>((high - low).count()), static_cast<double>(low.count()) * kError);
    if (high <= Histogram::kHighest) {
      one.add(high);
      int filled = 0;
      one.for_each([&](Duration, Duration, std::uint64_t) { ++filled; });
      ASSERT_EQ(filled, 1) << "the bucket's own upper end lies elsewhere";
    }
    value = high + Duration(1);
    ++buckets;
  }
  EXPECT_GT(buckets, 30 * 128);
}

TEST(HistogramTest, MergingIsExactInAnyOrderAndGrouping) {
  const auto a = latencies(1, 5000), b = latencies(2, 300), c = latencies(3, 40'000);
  auto all = a;
  all.insert(all.end(), b.begin(), b.end());
  all.insert(all.end(), c.begin(), c.end());
  const Histogram whole = of(all);

  Histogram left = of(a);
  left.merge(of(b));
  left.merge(of(c));
  Histogram inner = of(c);
  inner.merge(of(b));
  Histogram right;
  right.merge(inner);
  right.merge(of(a));
  EXPECT_EQ(left, whole);
  EXPECT_EQ(right, whole);
  Histogram same = whole;
  same.merge(Histogram());
  EXPECT_EQ(same, whole);
}

TEST(HistogramTest, OutOfRangeIsCountedApartAndNeverClamped) {
  Histogram histogram;
  histogram.add(Histogram::kLowest - 1ns);
  histogram.add(-5ms);
  histogram.add(Histogram::kLowest);
  histogram.add(Histogram::kHighest);
  histogram.add(Histogram::kHighest + 1ns);
  histogram.add(48h);
  EXPECT_EQ(histogram.count(), 6U);
  EXPECT_EQ(histogram.below(), 2U);
  EXPECT_EQ(histogram.above(), 2U);
  std::uint64_t inside = 0;
  histogram.for_each([&](Duration, Duration, std::uint64_t n) { inside += n; });
  EXPECT_EQ(inside, 2U);
  EXPECT_EQ(histogram.min(), -5ms);
  EXPECT_EQ(histogram.max(), 48h);
  EXPECT_EQ(histogram.percentile(1), Histogram::kLowest);
  EXPECT_GE(histogram.percentile(50), Histogram::kLowest);
  EXPECT_LE(histogram.percentile(50), Histogram::kLowest + Histogram::kLowest / 128);
  EXPECT_EQ(histogram.percentile(99), 48h);
  EXPECT_EQ(histogram.count_up_to(Histogram::kHighest), 4U);
  EXPECT_EQ(histogram.count_up_to(48h), 6U);
}

TEST(HistogramTest, OnlyTinyValuesAreNotRaisedAboveTheirMaximum) {
  Histogram histogram;
  histogram.add(300ns, 10);
  EXPECT_EQ(histogram.percentile(99), 300ns);
  EXPECT_EQ(histogram.count_up_to(500ns), 10U);
}

/// 99.9 / 100 * 1000 is a little more than 999 to a computer.
TEST(HistogramTest, OneInAThousandIsBeyondThePercentileThatLeavesOutOneInAThousand) {
  for (std::uint64_t thousands = 1; thousands <= 1000; ++thousands) {
    Histogram histogram;
    histogram.add(1ms, thousands * 999);
    histogram.add(900ms, thousands);
    ASSERT_LT(histogram.percentile(99.9), 2ms) << thousands;
    ASSERT_GT(histogram.percentile(99.91), 800ms) << thousands;
    ASSERT_LT(CompactHistogram::of(histogram).percentile(99.9), 2ms) << thousands;
  }
  for (std::uint64_t count = 1; count <= 5000; ++count)
    for (std::uint64_t tenths = 1; tenths <= 1000; ++tenths)
      ASSERT_EQ(rank_of(static_cast<double>(tenths) / 10, count),
                std::max<std::uint64_t>(1, (count * tenths + 999) / 1000));
  EXPECT_EQ(rank_of(0, 5), 1U);
  EXPECT_EQ(rank_of(100, 5), 5U);
}

TEST(HistogramTest, APercentileIsSomewhereInItsBucket) {
  const auto values = latencies(3, 5000);
  const Histogram histogram = of(values);
  for (const double percent : {0.1, 50.0, 90.0, 99.0, 99.9}) {
    auto sorted = values;
    std::sort(sorted.begin(), sorted.end());
    EXPECT_LE(histogram.percentile_at_least(percent), exact(sorted, percent)) << percent;
    EXPECT_GE(histogram.percentile_at_least(percent) + histogram.percentile_at_least(percent) / 100,
              histogram.percentile(percent));
  }
  EXPECT_EQ(histogram.percentile_at_least(100), histogram.max()) << "which is known to the last digit";
}

TEST(HistogramTest, EmptyAnswersZero) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.percentile(99), 0ns);
  EXPECT_EQ(histogram.mean(), 0ns);
  EXPECT_EQ(histogram.min(), 0ns);
  EXPECT_EQ(histogram.max(), 0ns);
  EXPECT_EQ(histogram.count_up_to(1h), 0U);
}

TEST(HistogramTest, TheSumOfManyHoursDoesNotOverflow) {
  Histogram histogram;
  histogram.add(1h, 1'000'000'000'000ULL);
  EXPECT_EQ(histogram.mean(), 1h);
  EXPECT_DOUBLE_EQ(histogram.sum_seconds(), 3600e12);
}

TEST(HistogramTest, CountUpToAgreesWithCounting) {
  const auto values = latencies(9, 20'000);
  const Histogram histogram = of(values);
  for (const Duration limit : std::initializer_list<Duration>{10us, 100us, 999us, 10ms, 1s, 60s}) {
    const auto within = [&](Duration l) {
      return static_cast<std::uint64_t>(
          std::count_if(values.begin(), values.end(), [&](Duration v) { return v <= l; }));
    };
    EXPECT_GE(histogram.count_up_to(limit), within(limit));
    EXPECT_LE(histogram.count_up_to(limit), within(limit + limit / 128 + 1ns));
  }
}

}  // namespace
}  // namespace mailproof::stats
