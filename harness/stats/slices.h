#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "core/time.h"
#include "stats/compact.h"

namespace mailproof::stats {

/// What happened in one slice of the run. What was due counts where it was due, a start where it began, an end where it
/// ended; so the columns of one slice are not parts of each other, those of the whole run are.
struct Slice {
  std::uint64_t due = 0;
  std::uint64_t started = 0;
  std::uint64_t ok = 0;
  std::uint64_t fail = 0;
  std::uint64_t info = 0;
  std::uint64_t unserved = 0;  ///< given up in this slice: it never began
  CompactHistogram response;   ///< of ok, unserved and timed out
  void merge(const Slice& other) {
    due += other.due;
    started += other.started;
    ok += other.ok;
    fail += other.fail;
    info += other.info;
    unserved += other.unserved;
    response.merge(other.response);
  }
  friend bool operator==(const Slice&, const Slice&) = default;
};

/// Octets of one slice, as the sessions sent and received them (inside TLS).
struct Octets {
  std::uint64_t in = 0, out = 0;
  void merge(const Octets& other) {
    in += other.in;
    out += other.out;
  }
  friend bool operator==(const Octets&, const Octets&) = default;
};

/// How much of something there was in one slice, times how long: nanoseconds of each, added up.
struct Level {
  std::uint64_t area = 0;
  void merge(const Level& other) { area += other.area; }
  friend bool operator==(const Level&, const Level&) = default;
};

/// A run in slices of equal width, counted from its time zero: a second each, and where they would be more than kMost
/// (an hour), of two seconds, then four and so on. The width follows from the latest time alone, so memory is bounded
/// whatever is played, and merging in any order equals having added everything to one.
template <class Cell>
class Timeline {
 public:
  static constexpr std::size_t kMost = 3600;

  Cell& at(Duration since_zero) {
    fit(since_zero);
    const std::size_t index = index_of(since_zero);
    if (index >= cells_.size()) cells_.resize(index + 1);
    return cells_[index];
  }
  void merge(const Timeline& other) {
    while (seconds_ < other.seconds_) fold();
    Timeline same = other.seconds_ < seconds_ ? other : Timeline();
    while (same.seconds_ < seconds_ && !same.cells_.empty()) same.fold();
    const Timeline& from = other.seconds_ < seconds_ ? same : other;
    if (cells_.size() < from.cells_.size()) cells_.resize(from.cells_.size());
    for (std::size_t i = 0; i < from.cells_.size(); ++i) cells_[i].merge(from.cells_[i]);
  }
  /// Read again from what was written; false: no such timeline is ever made.
  bool restore(std::uint32_t seconds, std::vector<Cell> cells) {
    const bool power = seconds != 0 && (seconds & (seconds - 1)) == 0 && seconds <= 1U << 20;
    if (!power || cells.size() > kMost) return false;
    seconds_ = seconds;
    cells_ = std::move(cells);
    return true;
  }
  Duration width() const { return std::chrono::seconds(seconds_); }
  std::uint32_t seconds() const { return seconds_; }
  const std::vector<Cell>& cells() const { return cells_; }
  friend bool operator==(const Timeline&, const Timeline&) = default;

 private:
  std::size_t index_of(Duration since_zero) const {
    // Every command asks: as the width is a power of two of seconds, nothing is divided but by a constant.
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(std::max(since_zero, Duration::zero()));
    return static_cast<std::size_t>(seconds.count()) >> std::countr_zero(seconds_);
  }
  void fit(Duration since_zero) {
    while (index_of(since_zero) >= kMost) fold();
  }
  void fold() {
    for (std::size_t i = 0; 2 * i < cells_.size(); ++i) {
      if (i != 0) cells_[i] = std::move(cells_[2 * i]);
      if (2 * i + 1 < cells_.size()) cells_[i].merge(cells_[2 * i + 1]);
    }
    cells_.resize((cells_.size() + 1) / 2);
    seconds_ *= 2;
  }
  std::uint32_t seconds_ = 1;  ///< a power of two
  std::vector<Cell> cells_;
};

using Slices = Timeline<Slice>;

/// How many there are of something over time (copies under way, copies that wait, connections): the mean of each slice,
/// weighted by time, which adds up exactly over threads and shards.
class Gauge {
 public:
  void start(Time zero) { zero_ = last_ = zero; }
  void change(int by, Time now) {
    settle(now);
    now_ += by;
  }
  void set(std::int64_t value, Time now) {
    settle(now);
    now_ = value;
  }
  /// Counts what there is up to now.
  void settle(Time now);
  /// One more of it, from then to then; not part of value().
  void span(Time from, Time to, std::uint64_t times = 1);
  std::int64_t value() const { return now_; }
  const Timeline<Level>& levels() const { return levels_; }
  Timeline<Level>& levels() { return levels_; }
  void merge(const Gauge& other) {
    now_ += other.now_;
    levels_.merge(other.levels_);
  }

 private:
  Time zero_{}, last_{};  ///< last_: counted up to here
  std::int64_t now_ = 0;
  Timeline<Level> levels_;
};

}  // namespace mailproof::stats
