#pragma once
#include <array>
#include <cstddef>
#include <memory>

namespace mailproof {

/// Objects that thousands need for a moment at a time, kept for whoever is next: nobody has one while at rest, and
/// steady state allocates nothing. One list a thread, so that nothing is locked. What is given back is as it was left.
template <class T, std::size_t kMost = 64>
class Spare {
 public:
  static std::unique_ptr<T> take() {
    auto& [all, size] = list();
    return size == 0 ? std::make_unique<T>() : std::move(all[--size]);
  }
  static void give(std::unique_ptr<T> one) {
    auto& [all, size] = list();
    if (one && size < kMost) all[size++] = std::move(one);
  }

 private:
  struct List {
    std::array<std::unique_ptr<T>, kMost> all;  ///< a place beyond `size` holds none
    std::size_t size = 0;
  };
  static List& list() {
    thread_local List all;
    return all;
  }
};

}  // namespace mailproof
