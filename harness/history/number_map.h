#pragma once
#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/blocks.h"

namespace mailproof::history {

/// From a 64-bit key to a value; what was never set is what its type has to begin with. Keys that are near each other,
/// as the UIDs of a mailbox are, stand together in a page, and the page that was asked for last is found at once: most
/// of what happens is about the message behind the one before.
template <class Value>
class PagedMap {
 public:
  Value& operator[](std::uint64_t key) {
    const std::uint64_t number = key / kPage;
    if (!known(number)) {
      const auto [at, fresh] = places_.try_emplace(number, static_cast<std::uint32_t>(pages_.size()));
      if (fresh) pages_.emplace_back();
      remember(number, at->second);
    }
    return (*page_)[key % kPage];
  }
  /// Null: nothing near it was ever set.
  const Value* find(std::uint64_t key) const {
    const std::uint64_t number = key / kPage;
    if (!known(number)) {
      const auto at = places_.find(number);
      if (at == places_.end()) return nullptr;
      remember(number, at->second);
    }
    return &(*page_)[key % kPage];
  }

  PagedMap() = default;
  PagedMap(const PagedMap& other) : places_(other.places_), pages_(other.pages_) {}
  PagedMap(PagedMap&& other) noexcept : places_(std::move(other.places_)), pages_(std::move(other.pages_)) {
    other.page_ = nullptr;
  }
  PagedMap& operator=(PagedMap other) noexcept {
    places_.swap(other.places_);
    pages_.swap(other.pages_);
    page_ = nullptr;
    return *this;
  }
  ~PagedMap() = default;

 private:
  static constexpr std::size_t kPage = 16;
  using Page = std::array<Value, kPage>;

  bool known(std::uint64_t number) const { return page_ != nullptr && number == number_; }
  void remember(std::uint64_t number, std::uint32_t place) const {
    number_ = number;
    page_ = &pages_[place];
  }

  boost::unordered_flat_map<std::uint64_t, std::uint32_t> places_;
  mutable Blocks<Page, 16> pages_;  ///< they stay where they are
  mutable std::uint64_t number_ = 0;
  mutable Page* page_ = nullptr;  ///< the newest that was asked for
};

/// To a 32-bit number; 0 = absent, so that forgetting a key is setting its number to 0.
class NumberMap {
 public:
  std::uint32_t get(std::uint64_t key) const {
    const std::uint32_t* number = numbers_.find(key);
    return number == nullptr ? 0 : *number;
  }
  void set(std::uint64_t key, std::uint32_t number) { numbers_[key] = number; }

 private:
  PagedMap<std::uint32_t> numbers_;
};

}  // namespace mailproof::history
