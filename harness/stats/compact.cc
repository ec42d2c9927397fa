#include "stats/compact.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "stats/histogram.h"

namespace mailproof::stats {
namespace {

constexpr unsigned kFirstBit = 9;  // as Histogram's
constexpr unsigned kHalfBits = 5;
constexpr std::uint64_t kBelow = 0, kAbove = CompactHistogram::kBuckets - 1;

}  // namespace

std::uint64_t CompactHistogram::bucket_of(Duration value) {
  if (value < Histogram::kLowest) return kBelow;
  if (value > Histogram::kHighest) return kAbove;
  const auto v = static_cast<std::uint64_t>(value.count());
  const auto top = static_cast<unsigned>(std::bit_width(v)) - 1;
  return 1 + ((std::uint64_t{top - kFirstBit} << kHalfBits) | ((v >> (top - kHalfBits)) & ((1U << kHalfBits) - 1)));
}

Duration CompactHistogram::lowest_of(std::uint64_t bucket) {
  if (bucket == kBelow) return Duration::zero();
  if (bucket >= kAbove) return Histogram::kHighest;
  const auto top = static_cast<unsigned>((bucket - 1) >> kHalfBits) + kFirstBit;
  const std::uint64_t within = (bucket - 1) & ((1U << kHalfBits) - 1);
  return Duration(static_cast<Duration::rep>(((1ULL << kHalfBits) | within) << (top - kHalfBits)));
}

Duration CompactHistogram::highest_of(std::uint64_t bucket) {
  if (bucket == kBelow) return Histogram::kLowest;
  if (bucket >= kAbove) return Histogram::kHighest;
  const auto top = static_cast<unsigned>((bucket - 1) >> kHalfBits) + kFirstBit;
  return lowest_of(bucket) + Duration((Duration::rep{1} << (top - kHalfBits)) - 1);
}

void CompactHistogram::put(std::uint64_t bucket, std::uint64_t times) {
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), bucket,
                                   [](const Entry& entry, std::uint64_t wanted) { return entry.bucket < wanted; });
  if (at != entries_.end() && at->bucket == bucket)
    at->count = (at->count + times) & kMostOfABucket;
  else
    entries_.insert(at, Entry{bucket & 0xFFFF, times & kMostOfABucket});
}

void CompactHistogram::add(Duration value, std::uint64_t times) {
  if (times != 0) put(bucket_of(value), times);
}

bool CompactHistogram::add_to(std::uint64_t bucket, std::uint64_t times) {
  if (bucket >= kBuckets || times > kMostOfABucket) return false;
  if (times != 0) put(bucket, times);
  return true;
}

void CompactHistogram::merge(const CompactHistogram& other) { merge(other, 1); }

void CompactHistogram::merge(const CompactHistogram& other, std::uint64_t times) {
  if (times == 0) return;
  for (const Entry& entry : other.entries_) put(entry.bucket, entry.count * times);
}

std::uint64_t CompactHistogram::count() const {
  std::uint64_t all = 0;
  for (const Entry& entry : entries_) all += entry.count;
  return all;
}

Duration CompactHistogram::percentile(double percent) const {
  const std::uint64_t all = count();
  if (all == 0) return Duration::zero();
  const auto rank = static_cast<double>(rank_of(percent, all));
  double seen = 0;
  for (const Entry& entry : entries_) {
    const double here = static_cast<double>(entry.count);
    if (seen + here >= rank) {
      const Duration low = lowest_of(entry.bucket), high = highest_of(entry.bucket);
      return low +
             Duration(static_cast<Duration::rep>(static_cast<double>((high - low).count()) * (rank - seen) / here));
    }
    seen += here;
  }
  return highest_of(entries_.back().bucket);
}

CompactHistogram CompactHistogram::of(const Histogram& histogram) {
  CompactHistogram out;
  if (histogram.below() != 0) out.put(kBelow, histogram.below());
  histogram.for_each([&](Duration low, Duration, std::uint64_t count) {
    // The bucket that kLowest falls into begins below it.
    out.put(bucket_of(std::max(low, Histogram::kLowest)), count);
  });
  if (histogram.above() != 0) out.put(kAbove, histogram.above());
  return out;
}

}  // namespace mailproof::stats
