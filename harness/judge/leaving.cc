#include "judge/leaving.h"

#include <algorithm>

#include "core/bytes.h"
#include "judge/heard.h"

namespace mailproof::judge {

using history::Cell;
using history::Event;
using history::Type;
using history::What;

namespace {

template <class First, class Key>
bool before(const First& all, Key key, std::uint32_t event) {
  const auto first = all.find(key);
  return first != all.end() && first->second < event;
}

}  // namespace

Leaving::Asked Leaving::look(const Case& c) {
  Asked out;
  std::map<std::uint32_t, std::uint32_t> selected;  // by session: box
  const auto box = [&](std::uint32_t account, std::string_view mailbox) {
    return out.boxes.try_emplace({account, lower(mailbox)}, static_cast<std::uint32_t>(out.boxes.size() + 1))
        .first->second;
  };
  for (const Event& e : c.history.about(What::select, What::examine, What::move, What::expunge, What::close,
                                        What::remove, What::rename, What::quit, What::end)) {
    if (e.session == 0) continue;
    const std::uint32_t account = c.history.account_of(e);
    if (c.history.session(e.session).protocol == Protocol::pop3) {
      out.quit.try_emplace(account, e.index);
      continue;
    }
    const bool selects = e.what == What::select || e.what == What::examine;
    if (selects && e.type == Type::ok) selected[e.session] = box(account, c.invoke(e).mailbox);
    if (selects || e.type != Type::invoke) continue;
    if (e.what == What::remove || e.what == What::rename) {
      out.reshaped.try_emplace(account, e.index);
      continue;
    }
    const std::uint32_t in = selected[e.session];
    out.any.try_emplace(in, e.index);
    if (e.set.empty()) out.all.try_emplace(in, e.index);
    for (const std::uint32_t uid : history::parse_uids(e.set))
      out.named.try_emplace(std::uint64_t{in} << 32U | uid, e.index);
  }
  return out;
}

const Leaving::Asked& Leaving::asked() const {
  if (!asked_) asked_ = look(c_);
  return *asked_;
}

bool Leaving::unheard() const {
  if (!unheard_) unheard_ = c_.history.info.recorded && !heard_all(c_.history);
  return *unheard_;
}

bool Leaving::any_at(std::uint32_t event, std::uint32_t account, std::string_view mailbox) const {
  const Asked& all = asked();
  const auto box = all.boxes.find({account, lower(mailbox)});
  return unheard() || before(all.quit, account, event) || before(all.reshaped, account, event) ||
         (box != all.boxes.end() && before(all.any, box->second, event));
}

bool Leaving::at(std::uint32_t event, std::uint32_t account, std::string_view mailbox, std::uint32_t uidvalidity,
                 std::uint32_t uid) const {
  const std::uint32_t message = c_.ledger.message_at(account, mailbox, uidvalidity, uid);
  const Cell* cell = message == 0 ? nullptr : c_.ledger.find(message, account, mailbox);
  if (cell == nullptr || cell->removes + cell->maybe_removes == 0) return false;
  const Asked& all = asked();
  if (cell->removed_over != 1 && before(all.quit, account, event)) return true;
  if (before(all.reshaped, account, event)) return true;
  if (cell->removed_over == 2) return false;
  const auto box = all.boxes.find({account, lower(mailbox)});
  return box != all.boxes.end() &&
         (before(all.all, box->second, event) || before(all.named, std::uint64_t{box->second} << 32U | uid, event));
}

bool Leaving::nothing_at(std::uint32_t event, std::uint32_t account, std::string_view mailbox,
                         std::uint32_t uidvalidity, std::uint32_t uid) const {
  return unheard() || at(event, account, mailbox, uidvalidity, uid);
}

}  // namespace mailproof::judge
