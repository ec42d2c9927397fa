#include "judge/excuses.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/bytes.h"
#include "history/flags.h"
#include "history/no_room.h"
#include "judge/came_later.h"
#include "judge/requests.h"

namespace mailproof::judge {
namespace {

using history::Cell;
using history::Event;
using history::Type;
using history::What;

bool has_all(std::string_view flags, std::string_view wanted) {
  const auto words = [](std::string_view text) {
    std::set<std::string> out;
    for (; !text.empty(); text.remove_prefix(std::min(text.find(' ') + 1, text.size()))) {
      const auto end = std::min(text.find(' '), text.size());
      out.insert(lower(text.substr(0, end)));
      if (end == text.size()) break;
    }
    return out;
  };
  const auto has = words(flags), all = words(wanted);
  return std::includes(has.begin(), has.end(), all.begin(), all.end());
}

bool was_filed(const Case& c, const Cell& cell) {
  return iequals(c.ledger.mailbox_name(cell.mailbox), "INBOX") && cell.adds > 0 && cell.enumerated &&
         cell.present == 0 && cell.first_seen == 0 && surplus_elsewhere(c, cell) > 0;
}

bool full(const Case& c, const history::Attempt& attempt) {
  const Event& reply = c.history.event(attempt.event);
  return attempt.outcome == Type::fail && history::says_over_quota(static_cast<std::uint32_t>(attempt.smtp_code),
                                                                   history::enhanced_status(reply), reply.text);
}

}  // namespace

std::string filed_elsewhere(const Case& c, const Event& e, std::uint32_t message, std::uint32_t account) {
  if (!e.mailbox.empty() && !iequals(e.mailbox, "INBOX")) return {};
  for (const Cell& cell : c.ledger.cells_of(message)) {
    if ((account == 0 || cell.account == account) && was_filed(c, cell))
      return fmt::format("the server filed {} in another mailbox of {}", c.name_of(message), c.account(cell.account));
  }
  return {};
}

const Cell* copy_elsewhere(const Case& c, const Cell& inbox, std::uint32_t again) {
  for (const Cell& other : c.ledger.cells_of(inbox.message))
    if (other.account == inbox.account && &other != &inbox && other.enumerated && other.present > 0 &&
        other.present >= other.least() && other.adds > 0 && other.added_by < again)
      return &other;
  return nullptr;
}

bool is_kept_where_it_was_saved(const Case& c, const Event& e, std::uint32_t message, std::uint32_t account) {
  if (!e.mailbox.empty() && !iequals(e.mailbox, "INBOX")) return false;
  int taken = 0;
  for (const history::Attempt& attempt : c.ledger.attempts_of(message)) {
    if (attempt.outcome != Type::ok || (account != 0 && attempt.account != account)) continue;
    const Cell* inbox = c.ledger.find(attempt.message, attempt.account, "INBOX");
    if (inbox == nullptr || !inbox->enumerated || inbox->present != 0) return false;
    // What a client had taken out of INBOX before it was looked for is not what was to be seen there.
    const bool removed = inbox->removes > 0 && inbox->removed_by < e.index;
    if (removed && attempt.event < inbox->removed_by) continue;
    const bool never_here = inbox->first_seen == 0 && inbox->removes == 0;
    if ((!never_here && !removed) || copy_elsewhere(c, *inbox, attempt.event) == nullptr) return false;
    ++taken;
  }
  return taken > 0;
}

int kept_where_they_were_saved(const Case& c, const Event& e, std::uint32_t account) {
  int out = 0;
  for (const Cell& cell : c.ledger.cells())
    if (cell.account == account && cell.present == 0 && cell.least() > 0 &&
        iequals(c.ledger.mailbox_name(cell.mailbox), "INBOX") &&
        is_kept_where_it_was_saved(c, e, cell.message, account))
      out += cell.least();
  return out;
}

std::string full_of_what_was_filed(const Case& c, const history::Attempt& refused) {
  if (!full(c, refused)) return {};
  for (const Cell& cell : c.ledger.cells())
    if (cell.account == refused.account && cell.added_by < refused.event && was_filed(c, cell))
      return fmt::format("{} fills it, which the server filed in another mailbox of {}", c.name_of(cell.message),
                         c.account(cell.account));
  return {};
}

bool refused_with_a_full_one(const Case& c, const history::Attempt& refused) {
  const Event& reply = c.history.event(refused.event);
  if (!over_smtp(c, reply)) return false;
  const auto same = [&](const history::Attempt& other) {
    const Event& e = c.history.event(other.event);
    return other.account != refused.account && e.command == reply.command && e.text == reply.text && full(c, other);
  };
  const auto elsewhere_full = [&](const history::Attempt& other) {
    if (other.message == refused.message || !full(c, other)) return false;
    const auto all = c.ledger.attempts_of(refused.message);
    return std::any_of(all.begin(), all.end(),
                       [&](const history::Attempt& with) { return same(with) && with.account == other.account; });
  };
  const auto& attempts = c.ledger.attempts();
  return full(c, refused) && std::any_of(attempts.begin(), attempts.end(), elsewhere_full);
}

bool may_be_gone(const Case& c, const Event& outcome, std::uint32_t message) {
  const std::uint32_t account = c.history.account_of(outcome);
  const auto cells = c.ledger.cells_of(message);
  const bool removed = std::any_of(cells.begin(), cells.end(), [&](const Cell& cell) {
    return cell.account == account && cell.removed_by != 0 && cell.removed_by < outcome.index;
  });
  return removed || std::any_of(cells.begin(), cells.end(), [&](const Cell& cell) {
           return cell.account == account && deleted_flag_at(c, cell, outcome.index, outcome.index) != nullptr;
         });
}

bool flags_at_end(const Case& c, const Event& e, std::uint32_t message) {
  const std::string mailbox = e.mailbox.empty() ? "INBOX" : e.mailbox;
  std::set<std::pair<std::uint32_t, std::uint32_t>> copies;  // session, UID
  for (const std::uint32_t sight : c.sights(message)) {
    const Event& s = c.history.event(sight);
    if (c.by_audit(s) && s.uid != 0 && c.history.account_of(s) == c.history.account_of(e) &&
        c.history.session(s.session).audit_round != 0 && iequals(s.mailbox, mailbox))
      copies.emplace(s.session, s.uid);
  }
  bool out = false;
  if (copies.empty()) return out;
  for (const Event& row : c.history.about(What::row))
    if (row.has_flags && copies.contains({row.session, row.uid})) out = has_all(row.flags, e.flags);
  return out;
}

}  // namespace mailproof::judge
