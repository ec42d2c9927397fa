#pragma once
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>

namespace mailproof::history {

/// From a 64-bit key to a 32-bit number; 0 = absent, so that forgetting a key is setting its number to 0. One flat
/// array, no node per entry.
class NumberMap {
 public:
  std::uint32_t get(std::uint64_t key) const {
    const auto at = numbers_.find(key);
    return at == numbers_.end() ? 0 : at->second;
  }
  void set(std::uint64_t key, std::uint32_t number) { numbers_[key] = number; }

 private:
  boost::unordered_flat_map<std::uint64_t, std::uint32_t> numbers_;
};

}  // namespace mailproof::history
