#include "judge/numbering.h"

#include <algorithm>

namespace mailproof::judge {

void Numbering::Piece::look_again() {
  lowest = ~std::uint32_t{};
  highest = 0;
  for (const Slot& slot : slots) {
    if (slot.uid == 0) continue;
    lowest = std::min(lowest, slot.uid);
    highest = std::max(highest, slot.uid);
  }
}

void Numbering::assign(std::size_t size) {
  pieces_.clear();
  size_ = told_ = 0;
  resize(size);
}

void Numbering::resize(std::size_t size) {
  while (size_ > size) {
    Piece& last = pieces_.back();
    for (; size_ > size && !last.slots.empty(); --size_) {
      told_ -= last.slots.back().told ? 1 : 0;
      last.slots.pop_back();
    }
    if (last.slots.empty())
      pieces_.pop_back();
    else
      last.look_again();
  }
  while (size_ < size) {
    if (pieces_.empty() || pieces_.back().slots.size() >= kPiece) pieces_.emplace_back();
    std::vector<Slot>& slots = pieces_.back().slots;
    const std::size_t more = std::min(size - size_, kPiece - slots.size());
    slots.resize(slots.size() + more);
    size_ += more;
  }
}

Numbering::Place Numbering::place(std::size_t number) const {
  Place at{0, number - 1};
  while (at.slot >= pieces_[at.piece].slots.size()) at.slot -= pieces_[at.piece++].slots.size();
  return at;
}

void Numbering::erase(std::size_t number) {
  const Place at = place(number);
  Piece& piece = pieces_[at.piece];
  const Slot gone = piece.slots[at.slot];
  piece.slots.erase(piece.slots.begin() + static_cast<std::ptrdiff_t>(at.slot));
  --size_;
  told_ -= gone.told ? 1 : 0;
  if (piece.slots.empty())
    pieces_.erase(pieces_.begin() + static_cast<std::ptrdiff_t>(at.piece));
  else if (gone.uid != 0 && (gone.uid == piece.lowest || gone.uid == piece.highest))
    piece.look_again();
}

std::uint32_t Numbering::uid(std::size_t number) const {
  const Place at = place(number);
  return pieces_[at.piece].slots[at.slot].uid;
}

void Numbering::tell(std::size_t number, std::uint32_t uid) {
  const Place at = place(number);
  Piece& piece = pieces_[at.piece];
  Slot& slot = piece.slots[at.slot];
  if (!slot.told) ++told_;
  slot.told = true;
  if (uid == 0 || uid == slot.uid) return;
  const bool replaced = slot.uid != 0;
  slot.uid = uid;
  if (replaced) return piece.look_again();
  piece.lowest = std::min(piece.lowest, uid);
  piece.highest = std::max(piece.highest, uid);
}

std::vector<std::uint32_t> Numbering::uids() const {
  std::vector<std::uint32_t> out;
  out.reserve(size_);
  for (const Piece& piece : pieces_)
    for (const Slot& slot : piece.slots) out.push_back(slot.uid);
  return out;
}

std::size_t Numbering::out_of_order(std::size_t number, std::uint32_t uid) const {
  const Place here = place(number);
  std::size_t before = 0;  // numbers in the pieces before this one
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    const Piece& piece = pieces_[i];
    const bool below = i > here.piece || piece.highest < uid;  // nothing here is too high for what comes before
    const bool above = i < here.piece || piece.lowest >= uid;  // nothing here is too low for what comes behind
    for (std::size_t slot = 0; !(below && above) && slot < piece.slots.size(); ++slot) {
      const std::uint32_t other = piece.slots[slot].uid;
      const std::size_t at = before + slot + 1;
      if (other != 0 && at != number && (at < number) != (other < uid)) return at;
    }
    before += piece.slots.size();
  }
  return 0;
}

}  // namespace mailproof::judge
