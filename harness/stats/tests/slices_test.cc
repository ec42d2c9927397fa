#include "stats/slices.h"

#include <gtest/gtest.h>

#include "core/rng.h"
#include "stats/operations.h"

namespace mailproof::stats {
namespace {

Time at(Duration since_start) { return Time(since_start); }

/// Response times from a microsecond to an hour, and some out of range.
Duration some_time(Rng& rng) {
  const auto octave = rng.below(44);
  return Duration(
      static_cast<Duration::rep>((std::uint64_t{1} << octave) + rng.below(1U << 20) % (std::uint64_t{1} << octave)));
}

TEST(CompactHistogramTest, TheSlicesAddUpToTheWhole) {
  Rng rng(7);
  Histogram whole;
  CompactHistogram slices[5], sum;
  for (int i = 0; i < 20'000; ++i) {
    const Duration value = some_time(rng);
    whole.add(value);
    slices[rng.below(5)].add(value);
  }
  for (const auto& slice : slices) sum.merge(slice);
  EXPECT_EQ(sum, CompactHistogram::of(whole));
  EXPECT_EQ(sum.count(), whole.count());
  EXPECT_GT(whole.below() * whole.above(), 0U) << "nothing out of range was tried";
}

TEST(CompactHistogramTest, MergesInAnyOrder) {
  Rng rng(8);
  CompactHistogram a, b, all;
  for (int i = 0; i < 1000; ++i) {
    const Duration value = some_time(rng);
    (rng.one_in(3) ? a : b).add(value);
    all.add(value);
  }
  CompactHistogram ab = a, ba = b;
  ab.merge(b);
  ba.merge(a);
  EXPECT_EQ(ab, ba);
  EXPECT_EQ(ab, all);
}

TEST(CompactHistogramTest, PercentilesLieWithinABucketOfTheTruth) {
  CompactHistogram compact;
  Histogram exact;
  for (int ms = 1; ms <= 1000; ++ms) {
    compact.add(std::chrono::milliseconds(ms));
    exact.add(std::chrono::milliseconds(ms));
  }
  for (const double percent : {1.0, 50.0, 90.0, 99.0, 99.9}) {
    const auto truth = static_cast<double>(exact.percentile(percent).count());
    EXPECT_NEAR(static_cast<double>(compact.percentile(percent).count()), truth, truth / 30) << percent;
  }
}

TEST(CompactHistogramTest, RefusesABucketThatThereIsNot) {
  CompactHistogram compact;
  EXPECT_FALSE(compact.add_to(CompactHistogram::kBuckets, 1));
  EXPECT_FALSE(compact.add_to(1, CompactHistogram::kMostOfABucket + 1));
  EXPECT_TRUE(compact.add_to(1, 2));
  EXPECT_EQ(compact.count(), 2U);
}

TEST(SlicesTest, SecondsFromTimeZeroMergedPlaceByPlace) {
  Slices one, two;
  ++one.at(0s).started;
  ++one.at(999ms).ok;
  ++two.at(2500ms).fail;
  one.merge(two);
  ASSERT_EQ(one.cells().size(), 3U);
  EXPECT_EQ(one.cells()[0].started, 1U);
  EXPECT_EQ(one.cells()[0].ok, 1U);
  EXPECT_EQ(one.cells()[1], Slice());
  EXPECT_EQ(one.cells()[2].fail, 1U);
}

TEST(SlicesTest, BoundedHoweverLongItLasts) {
  Slices slices;
  ++slices.at(-5s).started;
  for (int hour = 0; hour < 24; ++hour) ++slices.at(std::chrono::hours(hour)).ok;
  EXPECT_LE(slices.cells().size(), Slices::kMost);
  EXPECT_EQ(slices.width(), 32s);
  std::uint64_t ok = 0;
  for (const auto& slice : slices.cells()) ok += slice.ok;
  EXPECT_EQ(ok, 24U);
  EXPECT_EQ(slices.cells().front().started, 1U);
}

/// Whoever counted what, in whatever order, and whenever the slices grew wider: it is the same.
TEST(SlicesTest, MergingEqualsHavingAddedEverythingToOne) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Rng rng(seed);
    Slices parts[3], all;
    const std::uint32_t longest = rng.one_in(2) ? 3'000 : 30'000;
    for (int i = 0; i < 300; ++i) {
      const Duration when = std::chrono::milliseconds(rng.below(longest * 1000));
      const Duration took = some_time(rng);
      // The parts end at different times, so their slices have different widths.
      const std::size_t part = when < 100s ? rng.below(3) : when < 4000s ? rng.below(2) : 0;
      for (Slices* into : {&parts[part], &all}) {
        ++into->at(when).ok;
        into->at(when).response.add(took);
      }
    }
    Slices forward, backward;
    for (int i = 0; i < 3; ++i) forward.merge(parts[i]);
    for (int i = 2; i >= 0; --i) backward.merge(parts[i]);
    EXPECT_EQ(forward, all) << seed;
    EXPECT_EQ(backward, all) << seed;
  }
}

TEST(GaugeTest, IsTheMeanOfEachSlice) {
  Gauge running;
  running.start(at(10s));
  running.change(+2, at(10s));
  running.change(+1, at(11500ms));
  running.change(-3, at(12250ms));
  running.settle(at(20s));
  const auto& cells = running.levels().cells();
  ASSERT_EQ(cells.size(), 3U);
  EXPECT_EQ(Duration(cells[0].area), 2s);
  EXPECT_EQ(Duration(cells[1].area), 2500ms);
  EXPECT_EQ(Duration(cells[2].area), 750ms);
}

TEST(GaugeTest, TwoThreadsAddUp) {
  Gauge one, two, both;
  for (Gauge* gauge : {&one, &two, &both}) gauge->start(at(0s));
  one.span(at(500ms), at(5s));
  two.span(at(2s), at(7200ms));
  both.span(at(500ms), at(5s));
  both.span(at(2s), at(7200ms));
  two.merge(one);
  EXPECT_EQ(two.levels(), both.levels());
}

TEST(HistogramTest, IsReadAgainAsItWasWritten) {
  Rng rng(3);
  Histogram written, more;
  for (int i = 0; i < 5000; ++i) (rng.one_in(2) ? written : more).add(some_time(rng));
  const auto read = Histogram::of(written.state());
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, written);
  Histogram merged = *read, expected = written;
  merged.merge(more);
  expected.merge(more);
  EXPECT_EQ(merged, expected);
  EXPECT_EQ(Histogram::of(Histogram().state()), Histogram());
}

TEST(HistogramTest, IsNotReadFromABucketThatThereIsNot) {
  Histogram one;
  one.add(1ms);
  auto state = one.state();
  state.buckets.front().first += 1ns;
  EXPECT_EQ(Histogram::of(state), std::nullopt);
  state.buckets.front().first = Duration(-5);
  EXPECT_EQ(Histogram::of(state), std::nullopt);
  state = one.state();
  state.sum = "12x";
  EXPECT_EQ(Histogram::of(state), std::nullopt);
}

}  // namespace
}  // namespace mailproof::stats
