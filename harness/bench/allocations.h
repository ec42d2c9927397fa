#pragma once
// Include in one file of a program only: replaces operator new to count.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"  // our new is malloc, so our delete is free
#endif
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace mailproof::bench {
inline std::atomic<std::uint64_t> allocation_count{0};
/// Calls of operator new so far.
inline std::uint64_t allocations() { return allocation_count.load(std::memory_order_relaxed); }
}  // namespace mailproof::bench

void* operator new(std::size_t size) {
  mailproof::bench::allocation_count.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
