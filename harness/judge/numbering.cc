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
  before_.clear();
  size_ = told_ = 0;
  highest_ = 0;
  ascending_ = true;
  resize(size);
}

void Numbering::resize(std::size_t size) {
  while (size_ > size) {
    Piece& last = pieces_.back();
    for (; size_ > size && !last.slots.empty(); --size_) {
      told_ -= last.slots.back().told ? 1 : 0;
      last.slots.pop_back();
    }
    if (last.slots.empty()) {
      pieces_.pop_back();
      before_.pop_back();
    } else {
      last.look_again();
    }
  }
  look_for_highest();
  while (size_ < size) {
    if (pieces_.empty() || pieces_.back().slots.size() >= kPiece) {
      pieces_.emplace_back();
      before_.push_back(static_cast<std::uint32_t>(size_));
    }
    std::vector<Slot>& slots = pieces_.back().slots;
    const std::size_t more = std::min(size - size_, kPiece - slots.size());
    slots.resize(slots.size() + more);
    size_ += more;
  }
}

Numbering::Place Numbering::place(std::size_t number) const {
  const auto behind = std::upper_bound(before_.begin(), before_.end(), static_cast<std::uint32_t>(number - 1));
  const auto piece = static_cast<std::size_t>(behind - before_.begin()) - 1;
  return {piece, number - 1 - before_[piece]};
}

void Numbering::erase(std::size_t number) {
  const Place at = place(number);
  Piece& piece = pieces_[at.piece];
  const Slot gone = piece.slots[at.slot];
  piece.slots.erase(piece.slots.begin() + static_cast<std::ptrdiff_t>(at.slot));
  --size_;
  told_ -= gone.told ? 1 : 0;
  for (std::size_t i = at.piece + 1; i < before_.size(); ++i) --before_[i];
  if (piece.slots.empty()) {
    pieces_.erase(pieces_.begin() + static_cast<std::ptrdiff_t>(at.piece));
    before_.erase(before_.begin() + static_cast<std::ptrdiff_t>(at.piece));
  } else if (gone.uid != 0 && (gone.uid == piece.lowest || gone.uid == piece.highest)) {
    piece.look_again();
  }
  if (gone.uid == highest_) look_for_highest();
}

void Numbering::look_for_highest() {
  highest_ = 0;
  for (std::size_t i = pieces_.size(); i-- > 0 && highest_ == 0;) highest_ = pieces_[i].highest;
}

void Numbering::forget_uids() {
  for (Piece& piece : pieces_) {
    for (Slot& slot : piece.slots) slot.uid = 0;
    piece.look_again();
  }
  highest_ = 0;
  ascending_ = true;
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
  ascending_ = ascending_ && among_neighbours(at, uid) == 0;
  const bool replaced = slot.uid != 0;
  slot.uid = uid;
  if (replaced) {
    piece.look_again();
    return look_for_highest();
  }
  piece.lowest = std::min(piece.lowest, uid);
  piece.highest = std::max(piece.highest, uid);
  highest_ = std::max(highest_, uid);
}

std::vector<std::uint32_t> Numbering::uids() const {
  std::vector<std::uint32_t> out;
  out.reserve(size_);
  for (const Piece& piece : pieces_)
    for (const Slot& slot : piece.slots) out.push_back(slot.uid);
  return out;
}

/// Where all that are known ascend: a number beside it whose UID does not ascend with this one; 0 = none.
std::size_t Numbering::among_neighbours(const Place& here, std::uint32_t uid) const {
  const Piece& piece = pieces_[here.piece];
  if (piece.slots[here.slot].uid == uid) return 0;
  const std::size_t number = before_[here.piece] + here.slot + 1;
  const auto unfit = [&](std::size_t slot) {
    const std::size_t at = before_[here.piece] + slot + 1;
    return fits(at, piece.slots[slot].uid, number, uid) ? std::size_t{} : at;
  };
  std::size_t slot = here.slot;
  while (slot > 0 && piece.slots[slot - 1].uid == 0) --slot;
  std::uint32_t below = slot == 0 ? 0 : piece.slots[slot - 1].uid;
  if (slot > 0) {
    if (const std::size_t at = unfit(slot - 1)) return at;
  } else {
    for (std::size_t i = here.piece; i-- > 0 && below == 0;) {
      below = pieces_[i].highest;
      if (below >= uid) return before_[i] + 1;
    }
  }
  if (below == highest_) return 0;  // it is the last one that is known
  for (slot = here.slot + 1; slot < piece.slots.size(); ++slot)
    if (piece.slots[slot].uid != 0) return unfit(slot);
  for (std::size_t i = here.piece + 1; i < pieces_.size(); ++i)
    if (pieces_[i].highest != 0) return pieces_[i].lowest < uid ? before_[i] + 1 : 0;
  return 0;
}

std::size_t Numbering::out_of_order(std::size_t number, std::uint32_t uid) const {
  const Place here = place(number);
  if (ascending_ && among_neighbours(here, uid) == 0) return 0;
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    const Piece& piece = pieces_[i];
    const bool below = i > here.piece || piece.highest < uid;  // nothing here is too high for what comes before
    const bool above = i < here.piece || piece.lowest >= uid;  // nothing here is too low for what comes behind
    for (std::size_t slot = 0; !(below && above) && slot < piece.slots.size(); ++slot) {
      const std::size_t at = before_[i] + slot + 1;
      if (!fits(at, piece.slots[slot].uid, number, uid)) return at;
    }
  }
  return 0;
}

}  // namespace mailproof::judge
