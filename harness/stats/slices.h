#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/time.h"

namespace mailproof::stats {

/// What happened in one second of the run. An operation's start counts in the second it began, its end in the second
/// it ended, so the columns of one slice are not parts of each other; over the whole run ended <= started.
struct Slice {
  std::uint64_t started = 0;
  std::uint64_t ok = 0;
  std::uint64_t fail = 0;
  std::uint64_t info = 0;
  Duration worst_response{};  ///< the longest response among `ok`; zero when there was none
  friend bool operator==(const Slice&, const Slice&) = default;
};

/// A run second by second, from its time zero. Bounded to a day: later seconds are added to the last slice.
class Slices {
 public:
  static constexpr Duration kWidth = std::chrono::seconds(1);
  static constexpr std::size_t kMost = 24 * 60 * 60;

  void reserve(Duration run) {
    all_.reserve(index_of(Time(run)) + 1);
  }  ///< then at() does not allocate before that time
  Slice& at(Time time) {
    const std::size_t index = index_of(time);
    if (index >= all_.size()) all_.resize(index + 1);
    return all_[index];
  }
  void merge(const Slices& other) {
    if (all_.size() < other.all_.size()) all_.resize(other.all_.size());
    for (std::size_t i = 0; i < other.all_.size(); ++i) {
      const Slice& from = other.all_[i];
      Slice& to = all_[i];
      to.started += from.started;
      to.ok += from.ok;
      to.fail += from.fail;
      to.info += from.info;
      to.worst_response = std::max(to.worst_response, from.worst_response);
    }
  }
  const std::vector<Slice>& all() const { return all_; }

 private:
  static std::size_t index_of(Time time) {
    const auto seconds = std::max<Duration::rep>(time.time_since_epoch() / kWidth, 0);
    return std::min(static_cast<std::size_t>(seconds), kMost - 1);
  }
  std::vector<Slice> all_;
};

}  // namespace mailproof::stats
