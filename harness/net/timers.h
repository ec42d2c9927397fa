#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "core/time.h"

namespace mailproof::net {

class Timers;

/// Something that can be due once. Must be cleared before it dies.
class Timer {
 public:
  virtual ~Timer() = default;
  virtual void fire(Time now) = 0;
  bool armed() const { return slot_ != kUnarmed; }

 private:
  friend class Timers;
  static constexpr std::size_t kUnarmed = std::numeric_limits<std::size_t>::max();
  std::size_t slot_ = kUnarmed;
};

/// All that is due on one loop: a binary heap in which every timer knows its place, so moving one costs O(log n)
/// and allocates nothing once the heap has grown. Timers due at the same time fire in the order they were set.
class Timers {
 public:
  void set(Timer& timer, Time at);  ///< moves it when it is armed already
  void clear(Timer& timer);
  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  std::optional<Time> next() const;
  std::optional<Time> due(const Timer& timer) const;
  /// Takes the earliest timer out when its time is `now` or before; nothing when none is due.
  Timer* pop_due(Time now);

 private:
  struct Entry {
    Time at;
    std::uint64_t order;
    Timer* timer;
    bool before(const Entry& other) const { return at != other.at ? at < other.at : order < other.order; }
  };
  void place(std::size_t slot, const Entry& entry);
  void rise(std::size_t slot, const Entry& entry);
  void sink(std::size_t slot, const Entry& entry);
  void remove(std::size_t slot);

  std::vector<Entry> heap_;
  std::uint64_t order_ = 0;
};

}  // namespace mailproof::net
