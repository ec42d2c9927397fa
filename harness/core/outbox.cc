#include "core/outbox.h"

#include <algorithm>

#include "core/spare.h"

namespace mailproof {
namespace {
constexpr std::size_t kBlock = 512;       // text blocks are reserved once and never grow past it, so views stay put
constexpr std::size_t kMost = 16 * 1024;  // ... each twice the one before it while output piles up, to this size
constexpr std::size_t kKeep = 4 * 1024;   // a drained block bigger than this is freed
constexpr std::size_t kFew = 16;          // blocks and views that a spare one may have room for
}  // namespace

Outbox::Inside& Outbox::inside() {
  if (!inside_) inside_ = Spare<Inside>::take();
  return *inside_;
}

void Outbox::append(std::string_view bytes, bool secret) {
  if (bytes.empty()) return;
  auto& blocks = inside().blocks;
  Block* last = blocks.empty() ? nullptr : &blocks.back();
  const bool fits = last != nullptr && !last->shared && last->text.capacity() - last->text.size() >= bytes.size() &&
                    (last->secret == secret || last->text.empty());
  if (!fits) {
    const std::size_t twice = last == nullptr ? 0 : std::min(2 * last->text.capacity(), kMost);
    last = &blocks.emplace_back();
    last->text.reserve(std::max({kBlock, twice, bytes.size()}));  // on the heap, never in the string itself
  }
  last->secret = secret;
  last->text.append(bytes);
  pending_ += bytes.size();
}

void Outbox::body(std::shared_ptr<const std::string> bytes) {
  if (!bytes || bytes->empty()) return;
  pending_ += bytes->size();
  inside().blocks.emplace_back().shared = std::move(bytes);
}

std::span<const Output> Outbox::output() {
  if (!inside_) return {};
  auto& view = inside_->view;
  view.clear();
  for (const Block& block : inside_->blocks)
    if (const auto left = block.left(); !left.empty()) view.push_back({as_bytes(left), block.secret});
  return view;
}

void Outbox::sent(std::size_t n) {
  if (!inside_) return;
  pending_ -= std::min(n, pending_);
  if (pending_ == 0) return give_back();
  auto& blocks = inside_->blocks;
  std::size_t gone = 0;
  while (gone < blocks.size() && n >= blocks[gone].left().size()) n -= blocks[gone++].left().size();
  if (gone < blocks.size()) blocks[gone].from += n;
  blocks.erase(blocks.begin(), blocks.begin() + static_cast<std::ptrdiff_t>(gone));
}

/// One block of text stays in it for whoever is next: steady state allocates nothing.
void Outbox::give_back() {
  auto& blocks = inside_->blocks;
  Block& first = blocks.front();
  const bool keep = !first.shared && first.text.capacity() <= kKeep;
  if (keep) {
    first.text.clear();
    first.from = 0;
    first.secret = false;
  }
  blocks.erase(blocks.begin() + (keep ? 1 : 0), blocks.end());
  inside_->view.clear();
  if (blocks.capacity() > kFew || inside_->view.capacity() > kFew) return inside_.reset();
  Spare<Inside>::give(std::move(inside_));
}

void Outbox::clear() {
  inside_.reset();
  pending_ = 0;
}

}  // namespace mailproof
