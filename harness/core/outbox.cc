#include "core/outbox.h"

#include <algorithm>

namespace mailproof {
namespace {
constexpr std::size_t kBlock = 512;         // text blocks are reserved once and never grow past it, so views stay put
constexpr std::size_t kKeep = 64 * 1024;  // a drained block bigger than this is given back
}  // namespace

void Outbox::append(std::string_view bytes, bool secret) {
  if (bytes.empty()) return;
  Block* last = blocks_.empty() ? nullptr : &blocks_.back();
  const bool fits = last != nullptr && !last->shared && last->text.capacity() - last->text.size() >= bytes.size() &&
                    (last->secret == secret || last->text.empty());
  if (!fits) {
    last = &blocks_.emplace_back();
    last->text.reserve(std::max(kBlock, bytes.size()));
  }
  last->secret = secret;
  last->text.append(bytes);
  pending_ += bytes.size();
}

void Outbox::body(std::shared_ptr<const std::string> bytes) {
  if (!bytes || bytes->empty()) return;
  pending_ += bytes->size();
  blocks_.emplace_back().shared = std::move(bytes);
}

std::span<const Output> Outbox::output() {
  view_.clear();
  for (const Block& block : blocks_)
    if (const auto left = block.left(); !left.empty()) view_.push_back({as_bytes(left), block.secret});
  return view_;
}

void Outbox::sent(std::size_t n) {
  pending_ -= std::min(n, pending_);
  while (!blocks_.empty()) {
    Block& front = blocks_.front();
    const std::size_t left = front.left().size();
    if (n < left) {
      front.from += n;
      return;
    }
    n -= left;
    const bool last = blocks_.size() == 1;
    if (last && !front.shared && front.text.capacity() <= kKeep) {  // reuse: steady state allocates nothing
      front.text.clear();
      front.from = 0;
      front.secret = false;
      return;
    }
    blocks_.pop_front();
    if (blocks_.empty()) return;
  }
}

void Outbox::clear() {
  blocks_.clear();
  pending_ = 0;
}

}  // namespace mailproof
