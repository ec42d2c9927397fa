#include "judge/last_touch.h"

#include <map>
#include <string>

#include "core/bytes.h"

namespace mailproof::judge {
namespace {

bool names(std::string_view renamed, std::string_view mailbox) {
  return !renamed.empty() && istarts_with(mailbox, renamed);  // it, or one below it
}

}  // namespace

Renames::Renames(const Case& c) : c_(c) {
  for (const history::Event& e : c.history.about(history::What::rename))
    if (e.type != history::Type::fail && e.command != 0) all_.push_back(e.index);
}

const history::Event* Renames::took_away(const history::Cell& cell) const {
  const Case& c = c_;
  const std::string& mailbox = c.ledger.mailbox_name(cell.mailbox);
  const history::Event* last = nullptr;
  for (const std::uint32_t index : all_) {
    const history::Event& e = c.history.event(index);
    const history::Event& asked = c.invoke(e);
    if (c.history.account_of(asked) != cell.account || asked.index < cell.added_by) continue;
    if (cell.first_absent != 0 && asked.index > cell.first_absent) continue;
    if (names(asked.other_mailbox, mailbox) || names(asked.mailbox, mailbox)) last = &e;
  }
  if (last == nullptr || cell.last_seen > last->index) return nullptr;  // seen there since: it went later
  return last;
}

RefusedMoves::RefusedMoves(const Case& c) {
  using history::Type;
  using history::What;
  std::map<std::uint32_t, std::pair<std::string, std::uint32_t>> selected;  // by session: mailbox and UIDVALIDITY
  for (const history::Event& e : c.history.about(What::select, What::examine, What::move)) {
    if (e.session == 0) continue;
    if (e.what != What::move) {
      if (e.type == Type::ok) selected[e.session] = {c.invoke(e).mailbox, e.uidvalidity};
      continue;
    }
    if (e.type != Type::fail || iequals(e.code, "TRYCREATE")) continue;  // into nothing nothing is moved
    const std::uint32_t account = c.history.account_of(e);
    const auto& [mailbox, uidvalidity] = selected[e.session];
    const auto uids = history::parse_uids(c.invoke(e).set);
    if (uids.empty()) of_some_.insert(account);
    for (const std::uint32_t uid : uids) {
      const std::uint32_t message = c.ledger.message_at(account, mailbox, uidvalidity, uid);
      if (message == 0)
        of_some_.insert(account);
      else
        of_.emplace(account, message);
    }
  }
}

}  // namespace mailproof::judge
