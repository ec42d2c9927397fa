#pragma once
#include <cstddef>
#include <memory>
#include <vector>

namespace mailproof {

/// Objects that thousands need for a moment at a time, kept for whoever is next: nobody has one while at rest, and
/// steady state allocates nothing. One list a thread, so that nothing is locked. What is given back is as it was left.
template <class T, std::size_t kMost = 64>
class Spare {
 public:
  static std::unique_ptr<T> take() {
    auto& all = list();
    if (all.empty()) return std::make_unique<T>();
    auto one = std::move(all.back());
    all.pop_back();
    return one;
  }
  static void give(std::unique_ptr<T> one) {
    if (auto& all = list(); one && all.size() < kMost) all.push_back(std::move(one));
  }

 private:
  static std::vector<std::unique_ptr<T>>& list() {
    thread_local std::vector<std::unique_ptr<T>> all;
    return all;
  }
};

}  // namespace mailproof
