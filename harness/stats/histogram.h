#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/time.h"

namespace mailproof::stats {

/// Which of so many values, counted from the smallest and from 1, is the one that `percent` (0 to 100) of them do not
/// exceed: of 1000 the 999th for 99.9.
std::uint64_t rank_of(double percent, std::uint64_t count);

/// How long things took, with a bounded relative error and an exact merge. HDR layout: every power of two is cut into
/// 128 equal buckets, so a bucket is at most 1/128 (0.79 %) wider than its lowest value.
///
/// 33 KiB once the first value came; add() is a shift and an increment. Never shared: one a thread and operation,
/// merged at the end. merge() is commutative and associative, and merging equals having added everything to one.
class Histogram {
 public:
  static constexpr Duration kLowest = std::chrono::microseconds(1);
  static constexpr Duration kHighest = std::chrono::hours(1);

  void add(Duration value, std::uint64_t times = 1);
  void merge(const Histogram& other);

  std::uint64_t count() const { return inside_ + below_ + above_; }  ///< every value added
  std::uint64_t below() const { return below_; }  ///< part of count(): under kLowest, not in a bucket
  std::uint64_t above() const { return above_; }  ///< part of count(): over kHighest, not in a bucket

  /// Exact, over every value added, those out of range too; zero when there is none.
  Duration min() const { return count() == 0 ? Duration::zero() : min_; }
  Duration max() const { return count() == 0 ? Duration::zero() : max_; }
  Duration mean() const;
  double sum_seconds() const { return static_cast<double>(sum_) / 1e9; }

  /// The value that `percent` (0 to 100) of all values do not exceed: at least the true one, at most 0.79 % above it,
  /// and never above max(). When it falls among the values below kLowest it is kLowest, above kHighest max().
  Duration percentile(double percent) const;
  /// The least that the true one can be: the lower end of the bucket whose upper end percentile() is.
  Duration percentile_at_least(double percent) const;

  /// Values at or under `limit`, to the accuracy of a bucket: what lies in the same bucket as `limit` counts.
  std::uint64_t count_up_to(Duration limit) const;

  /// Calls f(lowest, highest, count) for each bucket that holds something, in rising order; both ends inclusive.
  template <class F>
  void for_each(F&& f) const {
    for (std::size_t i = 0; i < buckets_.size(); ++i)
      if (buckets_[i] != 0) f(lowest_of(i), highest_of(i), buckets_[i]);
  }

  /// All that a histogram is, to be written down and read again: merging what was read equals merging what was written.
  struct State {
    std::uint64_t below = 0, above = 0;
    Duration min{}, max{};
    std::string sum;                                          ///< nanoseconds, in decimal: more than 64 bits of them
    std::vector<std::pair<Duration, std::uint64_t>> buckets;  ///< lowest value, count
  };
  State state() const;
  /// Nothing: no histogram has such a state.
  static std::optional<Histogram> of(const State& state);

  friend bool operator==(const Histogram&, const Histogram&) = default;

 private:
  static constexpr unsigned kHalfBits = 7;  // 2^7 buckets a power of two
  static constexpr unsigned kFirstBit = 9;  // 512 ns is the first power of two that holds a value in range
  static constexpr unsigned kLastBit = 41;  // 2^42 ns = 73 minutes
  static constexpr std::size_t kBuckets = std::size_t{kLastBit - kFirstBit + 1} << kHalfBits;

  std::pair<Duration, Duration> around(double percent) const;
  static std::size_t bucket_of(Duration value);
  static Duration lowest_of(std::size_t bucket);
  static Duration highest_of(std::size_t bucket);

  __extension__ using Sum = __int128;  // 2.5 million values of an hour do not fit 64 bits of nanoseconds

  std::vector<std::uint64_t> buckets_;  // empty, or kBuckets
  std::uint64_t inside_ = 0;
  std::uint64_t below_ = 0;
  std::uint64_t above_ = 0;
  Duration min_ = Duration::max();
  Duration max_ = Duration::min();
  Sum sum_ = 0;
};

}  // namespace mailproof::stats
