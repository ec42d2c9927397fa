#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/peer.h"

namespace mailproof {

/// The output side of a Peer: text is appended, big bodies go in by reference, and nothing moves until sent() covers
/// it. Steady state (write, all sent, write again) does not allocate, and an empty one holds no memory: what is needed
/// to write comes from the thread's spare ones.
class Outbox {
 public:
  void text(std::string_view bytes) { append(bytes, false); }
  void secret(std::string_view bytes) { append(bytes, true); }
  void body(std::shared_ptr<const std::string> bytes);  ///< kept alive until sent

  bool empty() const { return pending_ == 0; }
  std::size_t size() const { return pending_; }
  std::span<const Output> output();
  void sent(std::size_t n);
  void clear();

 private:
  struct Block {
    std::string text;
    std::shared_ptr<const std::string> shared;
    std::size_t from = 0;
    bool secret = false;
    std::string_view left() const { return std::string_view(shared ? *shared : text).substr(from); }
  };
  struct Inside {
    std::vector<Block> blocks;  ///< few: text is gathered; a moved block's bytes stay where they are on the heap
    std::vector<Output> view;
  };
  Inside& inside();
  void append(std::string_view bytes, bool secret);
  void give_back();

  std::unique_ptr<Inside> inside_;  ///< none while there is nothing to send
  std::size_t pending_ = 0;
};

}  // namespace mailproof
