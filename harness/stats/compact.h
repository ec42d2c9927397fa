#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "core/time.h"

namespace mailproof::stats {

class Histogram;

/// The histogram of one slice of time: Histogram's layout with a quarter of its buckets (32 a power of two, each at
/// most 3.2 % wide), of which only those that hold something take 8 octets each. What is out of range has a bucket at
/// either end. At most kBuckets, so a slice never takes more than 8.5 KiB. Merges exactly, in any order.
class CompactHistogram {
 public:
  static constexpr std::uint32_t kBuckets = 33 * 32 + 2;
  static constexpr std::uint64_t kMostOfABucket = (std::uint64_t{1} << 48) - 1;

  struct Entry {
    std::uint64_t bucket : 16;
    std::uint64_t count : 48;
    friend bool operator==(const Entry& a, const Entry& b) { return a.bucket == b.bucket && a.count == b.count; }
  };

  void add(Duration value, std::uint64_t times = 1);
  /// By the number that entries() gave; false: there is no such bucket, or it would not fit.
  bool add_to(std::uint64_t bucket, std::uint64_t times);
  void merge(const CompactHistogram& other);
  /// So many times all that is in the other, as drawing a slice again does.
  void merge(const CompactHistogram& other, std::uint64_t times);

  std::uint64_t count() const;
  bool empty() const { return entries_.empty(); }
  /// As Histogram's, and within its bucket in proportion, so that it does not jump from one bucket to the next.
  Duration percentile(double percent) const;
  /// In rising order of values.
  std::span<const Entry> entries() const { return entries_; }
  static Duration lowest_of(std::uint64_t bucket);
  static Duration highest_of(std::uint64_t bucket);
  /// What all slices of a histogram add up to.
  static CompactHistogram of(const Histogram& histogram);

  friend bool operator==(const CompactHistogram&, const CompactHistogram&) = default;

 private:
  static std::uint64_t bucket_of(Duration value);
  void put(std::uint64_t bucket, std::uint64_t times);
  std::vector<Entry> entries_;
};

}  // namespace mailproof::stats
