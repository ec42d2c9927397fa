#pragma once
#include <array>
#include <cstddef>
#include <new>
#include <utility>

namespace mailproof::net {

/// Memory for the few operations that one object has under way in Asio at a time, so that starting one allocates
/// nothing. It must outlive them; what does not fit comes from the heap.
class HandlerMemory {
 public:
  HandlerMemory() = default;
  HandlerMemory(const HandlerMemory&) = delete;

  void* take(std::size_t size) {
    for (Slot& slot : slots_)
      if (!slot.taken && size <= sizeof slot.room) {
        slot.taken = true;
        return slot.room;
      }
    return ::operator new(size);
  }
  void give(void* memory) {
    for (Slot& slot : slots_)
      if (memory == slot.room) {
        slot.taken = false;
        return;
      }
    ::operator delete(memory);
  }

 private:
  struct Slot {
    alignas(std::max_align_t) std::byte room[192];
    bool taken = false;
  };
  std::array<Slot, 4> slots_;
};

/// A handler whose operation lives in a HandlerMemory: Asio asks for the associated allocator.
template <class Body>
class Recycled {
 public:
  template <class T>
  struct Allocator {
    using value_type = T;
    HandlerMemory* memory;
    explicit Allocator(HandlerMemory& from) : memory(&from) {}
    template <class U>
    Allocator(const Allocator<U>& other) : memory(other.memory) {}
    T* allocate(std::size_t n) { return static_cast<T*>(memory->take(n * sizeof(T))); }
    void deallocate(T* at, std::size_t) { memory->give(at); }
    bool operator==(const Allocator&) const = default;
  };
  using allocator_type = Allocator<void>;

  Recycled(HandlerMemory& memory, Body body) : memory_(&memory), body_(std::move(body)) {}
  allocator_type get_allocator() const { return allocator_type(*memory_); }
  template <class... Arguments>
  void operator()(Arguments&&... arguments) {
    body_(std::forward<Arguments>(arguments)...);
  }

 private:
  HandlerMemory* memory_;
  Body body_;
};

}  // namespace mailproof::net
