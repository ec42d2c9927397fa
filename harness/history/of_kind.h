#pragma once
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <vector>

#include "core/blocks.h"
#include "history/event.h"

namespace mailproof::history {

using Events = Blocks<Event, 32>;

/// What an event is, in two octets: who looks for a few kinds among a great many events goes through these, and through
/// no event of another kind.
struct Kind {
  Type type = Type::obs;
  What what = What::step;
};

/// The events whose kind is wanted, in order.
template <class Wanted>
class OfKind {
 public:
  OfKind(const Events& events, const std::vector<Kind>& kinds, Wanted wanted)
      : events_(&events), kinds_(&kinds), wanted_(wanted) {}

  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = Event;
    using difference_type = std::ptrdiff_t;
    using pointer = const Event*;
    using reference = const Event&;
    Iterator() = default;
    Iterator(const OfKind& of, std::size_t at) : of_(&of), at_(at) { skip(); }
    reference operator*() const { return (*of_->events_)[at_]; }
    pointer operator->() const { return &**this; }
    Iterator& operator++() {
      ++at_;
      skip();
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    void skip() {
      const Kind* const kinds = of_->kinds_->data();
      const std::size_t end = of_->kinds_->size();
      while (at_ < end && !of_->wanted_(kinds[at_])) ++at_;
    }
    const OfKind* of_ = nullptr;
    std::size_t at_ = 0;
  };

  Iterator begin() const { return Iterator(*this, 0); }
  Iterator end() const { return Iterator(*this, kinds_->size()); }
  bool empty() const { return begin() == end(); }

 private:
  const Events* events_;
  const std::vector<Kind>* kinds_;
  Wanted wanted_;
};

}  // namespace mailproof::history
