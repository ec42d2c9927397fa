#pragma once
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace mailproof::judge {

/// Numbers from 1 for the unique-ids that POP3 tells; their text is in events. One listing after the other has the same
/// ones in the same order, so that the one behind the newest is tried first.
class Ids {
 public:
  std::uint32_t number(std::string_view id) {
    if (newest_ < texts_.size() && texts_[newest_] == id) return ++newest_;
    const auto [known, fresh] = numbers_.try_emplace(id, static_cast<std::uint32_t>(texts_.size() + 1));
    if (fresh) texts_.push_back(id);
    return newest_ = known->second;
  }
  std::uint32_t size() const { return static_cast<std::uint32_t>(texts_.size()); }
  std::string_view text(std::uint32_t number) const { return texts_[number - 1]; }

 private:
  boost::unordered_flat_map<std::string_view, std::uint32_t, std::hash<std::string_view>> numbers_;
  std::vector<std::string_view> texts_;  ///< by number - 1
  std::uint32_t newest_ = 0;
};

}  // namespace mailproof::judge
