#pragma once
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <vector>

namespace mailproof::history {

/// Which entries of a list that only grows belong to a number (from 1), in the order they came: asking for them costs
/// as much as there are of them, however long the list is. Four octets an entry, eight a number.
class Chains {
 public:
  /// The next entry of the list belongs to this number.
  void add(std::uint32_t number) {
    if (ends_.size() < number) ends_.resize(number);
    next_.push_back(0);
    const auto entry = static_cast<std::uint32_t>(next_.size());
    Ends& ends = ends_[number - 1];
    (ends.last == 0 ? ends.first : next_[ends.last - 1]) = entry;
    ends.last = entry;
  }
  /// Places in the list, from 1; 0 = none, no further one.
  std::uint32_t first(std::uint32_t number) const {
    return number == 0 || number > ends_.size() ? 0 : ends_[number - 1].first;
  }
  std::uint32_t next(std::uint32_t entry) const { return next_[entry - 1]; }

 private:
  struct Ends {
    std::uint32_t first = 0, last = 0;
  };
  std::vector<Ends> ends_;  ///< by number - 1
  std::vector<std::uint32_t> next_;
};

/// The entries of one number, to go through. It points into the list, and is void when that grows.
template <class T>
class Chained {
 public:
  Chained(const std::vector<T>& list, const Chains& chains, std::uint32_t number)
      : list_(&list), chains_(&chains), first_(chains.first(number)) {}

  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = const T*;
    using reference = const T&;
    Iterator() = default;
    Iterator(const Chained& of, std::uint32_t at) : list_(of.list_), chains_(of.chains_), at_(at) {}
    reference operator*() const { return (*list_)[at_ - 1]; }
    pointer operator->() const { return &(*list_)[at_ - 1]; }
    Iterator& operator++() {
      at_ = chains_->next(at_);
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    const std::vector<T>* list_ = nullptr;
    const Chains* chains_ = nullptr;
    std::uint32_t at_ = 0;
  };

  Iterator begin() const { return Iterator(*this, first_); }
  Iterator end() const { return Iterator(*this, 0); }

 private:
  const std::vector<T>* list_;
  const Chains* chains_;
  std::uint32_t first_;
};

}  // namespace mailproof::history
