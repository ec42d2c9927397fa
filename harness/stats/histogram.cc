#include "stats/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace mailproof::stats {

std::uint64_t rank_of(double percent, std::uint64_t count) {
  const double exact = std::clamp(percent, 0.0, 100.0) * static_cast<double>(count) / 100;
  // What is a whole number may be a little more in floating point.
  const double rank = std::ceil(exact * (1 - 1e-12));
  return count == 0 ? 0 : std::clamp<std::uint64_t>(static_cast<std::uint64_t>(rank), 1, count);
}

std::size_t Histogram::bucket_of(Duration value) {
  const auto v = static_cast<std::uint64_t>(value.count());
  const auto top = static_cast<unsigned>(std::bit_width(v)) - 1;
  const std::uint64_t within = (v >> (top - kHalfBits)) & ((1U << kHalfBits) - 1);
  return (std::size_t{top - kFirstBit} << kHalfBits) | static_cast<std::size_t>(within);
}

Duration Histogram::lowest_of(std::size_t bucket) {
  const auto top = static_cast<unsigned>(bucket >> kHalfBits) + kFirstBit;
  const std::uint64_t within = bucket & ((1U << kHalfBits) - 1);
  return Duration(static_cast<Duration::rep>(((1ULL << kHalfBits) | within) << (top - kHalfBits)));
}

Duration Histogram::highest_of(std::size_t bucket) {
  const auto top = static_cast<unsigned>(bucket >> kHalfBits) + kFirstBit;
  return lowest_of(bucket) + Duration((Duration::rep{1} << (top - kHalfBits)) - 1);
}

void Histogram::add(Duration value, std::uint64_t times) {
  if (times == 0) return;
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
  sum_ += static_cast<Sum>(value.count()) * static_cast<Sum>(times);
  if (value < kLowest) {
    below_ += times;
  } else if (value > kHighest) {
    above_ += times;
  } else {
    if (buckets_.empty()) buckets_.resize(kBuckets);
    buckets_[bucket_of(value)] += times;
    inside_ += times;
  }
}

void Histogram::merge(const Histogram& other) {
  if (buckets_.empty()) {
    buckets_ = other.buckets_;
  } else {
    for (std::size_t i = 0; i < other.buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  }
  inside_ += other.inside_;
  below_ += other.below_;
  above_ += other.above_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

Duration Histogram::mean() const {
  if (count() == 0) return Duration::zero();
  return Duration(static_cast<Duration::rep>(sum_ / static_cast<Sum>(count())));
}

/// The least and the most that a percentile can be.
std::pair<Duration, Duration> Histogram::around(double percent) const {
  if (count() == 0) return {};
  const std::uint64_t rank = rank_of(percent, count());
  if (rank == count()) return {max_, max_};
  if (rank <= below_) return {min_, std::min(kLowest, max_)};
  std::uint64_t seen = below_;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen >= rank) return {std::max(lowest_of(i), min_), std::min(highest_of(i), max_)};
  }
  return {kHighest, max_};
}

Duration Histogram::percentile(double percent) const { return around(percent).second; }
Duration Histogram::percentile_at_least(double percent) const { return around(percent).first; }

std::uint64_t Histogram::count_up_to(Duration limit) const {
  if (limit < kLowest) return limit >= max() ? count() : below_;
  if (limit > kHighest) return limit >= max() ? count() : inside_ + below_;
  std::uint64_t seen = below_;
  if (buckets_.empty()) return seen;
  for (std::size_t i = 0, last = bucket_of(limit); i <= last; ++i) seen += buckets_[i];
  return seen;
}

Histogram::State Histogram::state() const {
  State out;
  if (count() == 0) return out;
  out.below = below_;
  out.above = above_;
  out.min = min_;
  out.max = max_;
  Sum left = sum_ < 0 ? -sum_ : sum_;
  do {
    out.sum.insert(out.sum.begin(), static_cast<char>('0' + static_cast<int>(left % 10)));
    left /= 10;
  } while (left != 0);
  if (sum_ < 0) out.sum.insert(out.sum.begin(), '-');
  for_each([&](Duration low, Duration, std::uint64_t count) { out.buckets.emplace_back(low, count); });
  return out;
}

std::optional<Histogram> Histogram::of(const State& state) {
  Histogram out;
  for (const auto& [low, count] : state.buckets) {
    if (low.count() < (Duration::rep{1} << kFirstBit) || low >= Duration(Duration::rep{1} << (kLastBit + 1)) ||
        lowest_of(bucket_of(low)) != low)
      return std::nullopt;
    if (out.buckets_.empty()) out.buckets_.resize(kBuckets);
    out.buckets_[bucket_of(low)] += count;
    out.inside_ += count;
  }
  out.below_ = state.below;
  out.above_ = state.above;
  if (out.count() == 0) return out;
  out.min_ = state.min;
  out.max_ = state.max;
  const bool negative = state.sum.starts_with('-');
  if (state.sum.size() <= (negative ? 1U : 0U) || state.sum.size() > 36) return std::nullopt;
  for (const char c : state.sum.substr(negative ? 1 : 0)) {
    if (c < '0' || c > '9') return std::nullopt;
    out.sum_ = out.sum_ * 10 + (c - '0');
  }
  if (negative) out.sum_ = -out.sum_;
  return out;
}

}  // namespace mailproof::stats
