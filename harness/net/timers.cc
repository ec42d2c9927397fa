#include "net/timers.h"

namespace mailproof::net {

void Timers::place(std::size_t slot, const Entry& entry) {
  heap_[slot] = entry;
  entry.timer->slot_ = slot;
}

void Timers::rise(std::size_t slot, const Entry& entry) {
  while (slot > 0) {
    const std::size_t parent = (slot - 1) / 2;
    if (!entry.before(heap_[parent])) break;
    place(slot, heap_[parent]);
    slot = parent;
  }
  place(slot, entry);
}

void Timers::sink(std::size_t slot, const Entry& entry) {
  for (;;) {
    std::size_t child = 2 * slot + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1].before(heap_[child])) ++child;
    if (!heap_[child].before(entry)) break;
    place(slot, heap_[child]);
    slot = child;
  }
  place(slot, entry);
}

void Timers::remove(std::size_t slot) {
  heap_[slot].timer->slot_ = Timer::kUnarmed;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (slot == heap_.size()) return;
  if (slot > 0 && last.before(heap_[(slot - 1) / 2])) {
    rise(slot, last);
  } else {
    sink(slot, last);
  }
}

void Timers::set(Timer& timer, Time at) {
  const Entry entry{at, ++order_, &timer};
  if (!timer.armed()) {
    heap_.push_back(entry);
    rise(heap_.size() - 1, entry);
  } else if (entry.before(heap_[timer.slot_])) {
    rise(timer.slot_, entry);
  } else {
    sink(timer.slot_, entry);
  }
}

void Timers::clear(Timer& timer) {
  if (timer.armed()) remove(timer.slot_);
}

std::optional<Time> Timers::next() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.front().at;
}

std::optional<Time> Timers::due(const Timer& timer) const {
  if (!timer.armed()) return std::nullopt;
  return heap_[timer.slot_].at;
}

Timer* Timers::pop_due(Time now) {
  if (heap_.empty() || heap_.front().at > now) return nullptr;
  Timer* timer = heap_.front().timer;
  remove(0);
  return timer;
}

}  // namespace mailproof::net
