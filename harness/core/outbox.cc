#include "core/outbox.h"

#include <algorithm>

namespace mailproof {
namespace {
constexpr std::size_t kBlock = 512;       // text blocks are reserved once and never grow past it, so views stay put
constexpr std::size_t kMost = 16 * 1024;  // ... each twice the one before it while output piles up, to this size
constexpr std::size_t kKeep = 4 * 1024;   // a drained block bigger than this is given back
}  // namespace

void Outbox::append(std::string_view bytes, bool secret) {
  if (bytes.empty()) return;
  Block* last = blocks_.empty() ? nullptr : &blocks_.back();
  const bool fits = last != nullptr && !last->shared && last->text.capacity() - last->text.size() >= bytes.size() &&
                    (last->secret == secret || last->text.empty());
  if (!fits) {
    const std::size_t twice = last == nullptr ? 0 : std::min(2 * last->text.capacity(), kMost);
    last = &blocks_.emplace_back();
    last->text.reserve(std::max({kBlock, twice, bytes.size()}));  // on the heap, never in the string itself
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
  std::size_t gone = 0;
  while (gone < blocks_.size() && n >= blocks_[gone].left().size()) n -= blocks_[gone++].left().size();
  if (gone < blocks_.size()) {
    blocks_[gone].from += n;
  } else if (gone != 0) {
    Block& last = blocks_.back();
    if (!last.shared && last.text.capacity() <= kKeep) {  // kept for the next time: steady state allocates nothing
      last.text.clear();
      last.from = 0;
      last.secret = false;
      --gone;
    }
  }
  blocks_.erase(blocks_.begin(), blocks_.begin() + static_cast<std::ptrdiff_t>(gone));
}

void Outbox::clear() {
  blocks_.clear();
  pending_ = 0;
}

}  // namespace mailproof
