#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/rng.h"

namespace mailproof::history {

/// From a 64-bit key (never 0) to a 32-bit number (0 = absent), in one flat array: 16 bytes a slot, no node per entry.
/// Keys are never taken out; forgetting one is setting its number to 0.
class NumberMap {
 public:
  std::uint32_t get(std::uint64_t key) const {
    if (slots_.empty()) return 0;
    const Slot& slot = slots_[place(key)];
    return slot.key == key ? slot.number : 0;
  }

  void set(std::uint64_t key, std::uint32_t number) {
    if ((used_ + 1) * 4 > slots_.size() * 3) grow();
    Slot& slot = slots_[place(key)];
    if (slot.key == 0) {
      slot.key = key;
      ++used_;
    }
    slot.number = number;
  }

 private:
  struct Slot {
    std::uint64_t key = 0;
    std::uint32_t number = 0;
  };

  std::size_t place(std::uint64_t key) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = static_cast<std::size_t>(mix(key)) & mask;
    while (slots_[at].key != 0 && slots_[at].key != key) at = (at + 1) & mask;
    return at;
  }

  void grow() {
    std::vector<Slot> old(slots_.empty() ? 16 : slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old)
      if (slot.key != 0) slots_[place(slot.key)] = slot;
  }

  std::vector<Slot> slots_;  ///< a power of two, at most three quarters full
  std::size_t used_ = 0;
};

}  // namespace mailproof::history
