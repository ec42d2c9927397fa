#pragma once
#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <map>

namespace mailproof::judge {

/// What is known of message numbers or UIDs, in their order. A server counts on from one to the next, and says them in
/// that order: they are kept in pages, and not one by one.
template <class T>
class ByNumber {
 public:
  ByNumber() = default;
  ByNumber(const ByNumber& other) : pages_(other.pages_), size_(other.size_) {}
  ByNumber& operator=(const ByNumber& other) {
    pages_ = other.pages_;
    size_ = other.size_;
    last_ = nullptr;
    return *this;
  }
  ~ByNumber() = default;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void clear() { *this = ByNumber(); }

  struct Placed {
    T& value;
    bool fresh;
  };
  /// What is known of it; fresh: nothing was.
  Placed place(std::uint32_t number) {
    Page& at = page(number);
    const std::size_t slot = number % kPage;
    const bool fresh = !at.there[slot];
    if (fresh) {
      at.there[slot] = true;
      ++size_;
    }
    return {at.values[slot], fresh};
  }
  T& operator[](std::uint32_t number) { return place(number).value; }
  T* find(std::uint32_t number) {
    Page* at = known(number);
    return at == nullptr || !at->there[number % kPage] ? nullptr : &at->values[number % kPage];
  }
  const T* find(std::uint32_t number) const { return const_cast<ByNumber*>(this)->find(number); }
  bool contains(std::uint32_t number) const { return find(number) != nullptr; }
  void erase(std::uint32_t number) {
    Page* at = known(number);
    if (at == nullptr || !at->there[number % kPage]) return;
    at->there[number % kPage] = false;
    at->values[number % kPage] = T();
    --size_;
  }
  /// Calls f(number, value) for all of them, in order.
  template <class F>
  void for_each(F&& f) const {
    for (const auto& [first, at] : pages_)
      for (std::size_t slot = 0; slot < kPage; ++slot)
        if (at.there[slot])
          f(first * static_cast<std::uint32_t>(kPage) + static_cast<std::uint32_t>(slot), at.values[slot]);
  }

 private:
  static constexpr std::size_t kPage = 32;
  struct Page {
    std::array<T, kPage> values{};
    std::bitset<kPage> there;
  };
  Page& page(std::uint32_t number) {
    if (Page* at = known(number)) return *at;
    last_number_ = number / kPage;
    last_ = &pages_[last_number_];
    return *last_;
  }
  Page* known(std::uint32_t number) {
    if (last_ != nullptr && last_number_ == number / kPage) return last_;
    const auto at = pages_.find(number / kPage);
    if (at == pages_.end()) return nullptr;
    last_number_ = at->first;
    last_ = &at->second;
    return last_;
  }

  std::map<std::uint32_t, Page> pages_;  ///< they stay where they are
  std::size_t size_ = 0;
  std::uint32_t last_number_ = 0;
  Page* last_ = nullptr;  ///< the newest that was asked for
};

}  // namespace mailproof::judge
