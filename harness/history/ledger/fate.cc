#include <algorithm>

#include "history/ledger/impl.h"

namespace mailproof::history {
namespace {

/// All copies that are known of were removed for sure, and nobody has seen one since.
bool unseen_since_removal(const Cell& cell) {
  return cell.removes > 0 && cell.removes >= cell.adds && cell.last_seen < cell.removed_by;
}

/// What POP3 removed and IMAP still shows is gone: who asked for it has another view.
bool gone(const Cell& cell) {
  if (cell.enumerated) return cell.present == cell.kept();
  return cell.first_absent != 0 || unseen_since_removal(cell);
}
bool there(const Cell& cell) {
  if (cell.enumerated) return cell.present > cell.kept();
  return cell.last_seen != 0 && cell.first_absent == 0 && !unseen_since_removal(cell);
}

}  // namespace

/// What the server put into a mailbox for deleted mail is gone: RFC 3501 section 6.4.3 and RFC 1939 section 6 have it
/// removed from where it was. What is there was neither bounced nor lost; what a client asked for explains an absence
/// before anything else does.
Fate Ledger::fate(std::uint32_t message, std::uint32_t account) const {
  bool present = false, moved = false, bounced = false, accepted = false, listed = false;
  const Cell* removed = nullptr;
  std::uint8_t misses = 0;
  const Cell* trash = nullptr;
  for (const Cell& cell : cells_of(message))
    if (cell.account == account && trash == nullptr) trash = in_trash(cell);
  const auto elsewhere = [&](const Cell& here) {
    const auto all = cells_of(here.message);
    return std::any_of(all.begin(), all.end(), [&](const Cell& other) {
      return other.account == here.account && &other != &here && &other != trash && there(other);
    });
  };
  for (const Cell& cell : cells_of(message)) {
    if (cell.account != account || &cell == trash) continue;
    present |= there(cell);
    // By MOVE, or as clients do without it: a copy elsewhere, and the first one removed (RFC 6851 section 3.3).
    moved |= (cell.moved_to != 0 || (cell.removes > 0 && elsewhere(cell))) && gone(cell);
    bounced |= cell.bounced;
    accepted |= cell.adds > 0;
    listed |= cell.enumerated;
    const bool owed = cell.enumerated && cell.present < cell.least();
    if (owed) misses = std::max(misses, cell.misses);
    const bool asked = cell.removes > 0 || (cell.maybe_removes > 0 && gone(cell));
    const bool explained = !owed || cell.misses < 2;  // one copy was removed, and another that came later is missing
    if (asked && explained && !there(cell) && cell.moved_to == 0) removed = &cell;
  }
  if (present) return moved ? Fate::moved : Fate::present;
  if (bounced && misses < 2) return Fate::bounced;
  if (removed != nullptr) {
    const Event* request = removed->removed_by == 0 ? nullptr : &impl_->history.event(removed->removed_by);
    const std::uint32_t device =
        request == nullptr || request->session == 0 ? 0 : impl_->history.session(request->session).device;
    const bool aged = request != nullptr && request->what == What::quit && device != 0 &&
                      impl_->history.device(device).policy.starts_with("delete after");
    return aged ? Fate::expired_by_client_policy : Fate::removed_by_client;
  }
  if (misses >= 2) return Fate::lost;
  // A MOVE was answered, and nobody has looked into either mailbox since.
  if (moved && !listed) return Fate::moved;

  const Attempt* last = nullptr;
  bool smtp = false;
  for (const Attempt& attempt : attempts_of(message)) {
    if (attempt.account != account) continue;
    last = &attempt;
    const std::uint32_t by = impl_->history.event(attempt.event).session;
    smtp |= attempt.outcome == Type::ok && by != 0 && impl_->history.session(by).protocol == Protocol::smtp;
  }
  if (!accepted && last != nullptr && last->outcome == Type::fail && last->smtp_code != 0)
    return last->smtp_code / 100 == 4 ? Fate::deferred : Fate::refused;
  if (smtp && listed) return Fate::queued;
  return Fate::unknown;
}

}  // namespace mailproof::history
