#pragma once
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "core/blocks.h"

namespace mailproof::history {

/// Which entries of a list that only grows belong to a number (from 1), in the order they came: asking for them costs
/// as much as there are of them, however long the list is. Four octets an entry, four a number: behind the last entry
/// of a number stands its first one again.
class Chains {
 public:
  /// The next entry of the list belongs to this number.
  void add(std::uint32_t number) {
    if (last_.size() < number) last_.resize(number);
    std::uint32_t& last = last_[number - 1];
    const auto entry = static_cast<std::uint32_t>(next_.size() + 1);
    if (last == 0) {
      next_.push_back(entry);
    } else {
      next_.push_back(next_[last - 1]);
      next_[last - 1] = entry;
    }
    last = entry;
  }
  /// Places in the list, from 1; 0 = none, no further one.
  std::uint32_t first(std::uint32_t number) const {
    const std::uint32_t last = number == 0 || number > last_.size() ? 0 : last_[number - 1];
    return last == 0 ? 0 : next_[last - 1];
  }
  std::uint32_t next(std::uint32_t number, std::uint32_t entry) const {
    return entry == last_[number - 1] ? 0 : next_[entry - 1];
  }

 private:
  Blocks<std::uint32_t, 256> last_;  ///< by number - 1
  Blocks<std::uint32_t, 256> next_;
};

/// The entries of one number, to go through. It points into the list, and is void when that grows.
template <class List>
class Chained {
 public:
  using T = typename List::value_type;
  Chained(const List& list, const Chains& chains, std::uint32_t number)
      : list_(&list), chains_(&chains), number_(number) {}

  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = const T*;
    using reference = const T&;
    Iterator() = default;
    Iterator(const Chained& of, std::uint32_t at)
        : list_(of.list_), chains_(of.chains_), number_(of.number_), at_(at) {}
    reference operator*() const { return (*list_)[at_ - 1]; }
    pointer operator->() const { return &(*list_)[at_ - 1]; }
    Iterator& operator++() {
      at_ = chains_->next(number_, at_);
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    const List* list_ = nullptr;
    const Chains* chains_ = nullptr;
    std::uint32_t number_ = 0, at_ = 0;
  };

  Iterator begin() const { return Iterator(*this, chains_->first(number_)); }
  Iterator end() const { return Iterator(*this, 0); }

 private:
  const List* list_;
  const Chains* chains_;
  std::uint32_t number_;
};

}  // namespace mailproof::history
