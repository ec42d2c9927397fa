#include "judge/pop3_policy.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "core/bytes.h"

namespace mailproof::judge {

using history::Cell;
using history::Event;
using history::Type;
using history::What;

/// One copy, and POP3 alone asked for its removal.
static bool only_by_pop3(const Cell& cell) {
  return cell.adds == 1 && cell.maybe_adds == 0 && cell.removes == 1 && cell.maybe_removes == 0 &&
         cell.removed_over == 2;
}

RemovedForAll::RemovedForAll(const Case& c) : c_(c) {
  for (const Cell& cell : c.ledger.cells())
    if (only_by_pop3(cell) && c.ledger.pop3_delete(cell) == Pop3Delete::removes)
      by_quit_.try_emplace(cell.removed_by, &cell);
}

const Cell* RemovedForAll::beside(const Cell& kept) const {
  if (!only_by_pop3(kept) || c_.ledger.in_trash(kept) != nullptr) return nullptr;
  const auto fellow = by_quit_.find(kept.removed_by);
  return fellow == by_quit_.end() ? nullptr : fellow->second;
}

Pop3Policy::Pop3Policy(const Case& c) : c_(c), policy_(c.history.info.pop3_delete) {
  const RemovedForAll removed(c);
  for (const Cell& cell : c.ledger.cells())
    if (const auto shown = c.ledger.pop3_delete(cell); shown && *shown != Pop3Delete::removes)
      if (removed.beside(cell) == nullptr) policy_ = shown;
  if (policy_ == Pop3Delete::removes) policy_.reset();
  for (const Cell& cell : c.ledger.cells())  // what IMAP expunges may go to a trash as well
    if (cell.pop_removes > 0 ? policy_.has_value() : c.ledger.in_trash(cell) != nullptr) fuller_.insert(cell.account);
  const bool by_both = std::any_of(c.ledger.cells().begin(), c.ledger.cells().end(),
                                   [](const Cell& cell) { return cell.pop_removes > 0 && cell.removed_over == 3; });
  if (by_both) look_at_what_stayed();
  // What one of a customer's mailboxes goes on holding leaves the others less room.
  for (const std::uint32_t account : std::set(fuller_))
    for (std::uint32_t other = 1; other <= c.history.info.accounts.size(); ++other)
      if (account != 0 && c.history.account(account).customer != 0 &&
          c.history.account(other).customer == c.history.account(account).customer)
        fuller_.insert(other);
}

/// What POP3 removed and IMAP showed all the same, until a client moved it away or expunged it: in the end it says
/// nothing any more.
void Pop3Policy::look_at_what_stayed() {
  std::map<std::uint32_t, std::map<std::uint32_t, std::uint32_t>> number;  // POP3 session -> number -> message
  std::map<std::uint32_t, std::vector<std::uint32_t>> marked;              // POP3 session -> messages
  std::set<std::pair<std::uint32_t, std::uint32_t>> removed;               // account, message
  for (const Event& e : c_.history.about(What::message, What::pop_uidl, What::dele, What::rset, What::quit)) {
    if (e.session == 0) continue;
    const auto& session = c_.history.session(e.session);
    if (session.protocol == Protocol::imap) {
      if (e.what == What::message && e.message != 0 && removed.contains({session.account, e.message}) &&
          (e.mailbox.empty() || iequals(e.mailbox, "INBOX")))
        fuller_.insert(session.account);
    } else if (session.protocol == Protocol::pop3) {
      if (e.what == What::message && e.message != 0) number[e.session][e.seq] = e.message;
      if (e.what == What::pop_uidl && e.type == Type::obs)
        number[e.session].try_emplace(e.seq, c_.ledger.message_with_uidl(session.account, e.text));
      if (e.what == What::dele && e.type == Type::ok) marked[e.session].push_back(number[e.session][c_.invoke(e).seq]);
      if (e.what == What::rset && e.type == Type::ok) marked[e.session].clear();
      if (e.what == What::quit && e.type == Type::ok)
        for (const std::uint32_t message : marked[e.session])
          if (message != 0) removed.emplace(session.account, message);
    }
  }
}

bool Pop3Policy::shows(std::uint32_t account, std::string_view mailbox, std::uint32_t message) const {
  if (!policy_) return false;
  const Cell* inbox = c_.ledger.find(message, account, "INBOX");
  if (inbox == nullptr || inbox->pop_removes == 0) return false;
  return (*policy_ == Pop3Delete::keeps_for_imap) == iequals(mailbox.empty() ? "INBOX" : mailbox, "INBOX");
}

bool Pop3Policy::refuses(std::uint32_t message) const {
  if (message == 0) return false;
  bool out = false;
  for (const auto& attempt : c_.ledger.attempts_of(message)) {
    if (attempt.outcome == history::Type::ok) return false;
    const history::Event& answer = c_.history.event(attempt.event);
    const std::string text = lower(answer.text);
    const bool no_room = history::enhanced_status(answer).ends_with(".2.2") || text.find("quota") != std::string::npos;
    out |= attempt.outcome == history::Type::fail && no_room && fills(attempt.account);
  }
  return out;
}

std::size_t Pop3Policy::beside(std::uint32_t account, std::string_view mailbox) const {
  std::size_t out = 0;
  for (const Cell& cell : c_.ledger.cells()) {
    if (cell.account != account) continue;
    const Cell* trash = c_.ledger.in_trash(cell);
    if (iequals(c_.ledger.mailbox_name(cell.mailbox), mailbox)) out += static_cast<std::size_t>(cell.kept());
    if (trash != nullptr && iequals(c_.ledger.mailbox_name(trash->mailbox), mailbox)) out += trash->present;
  }
  return out;
}

}  // namespace mailproof::judge
