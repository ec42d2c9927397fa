// I2: a message stays as it was sent, wherever and whenever it is read.
#include <fmt/format.h>

#include <set>

#include "judge/case.h"
#include "judge/judges.h"
#include "judge/sizes.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::What;

void altered(Case& c) {
  std::set<std::pair<std::uint32_t, std::uint64_t>> told;
  for (const Event& e : c.history.events()) {
    if (e.what != What::message || e.message == 0 || e.code != "full" || e.hash == 0) continue;
    const auto& sent = c.history.message(e.message);
    if (e.hash == sent.hash || !told.emplace(e.message, e.hash).second) continue;
    c.find("altered", {fmt::format("{} as sent: {} octets", sent.name(), sent.size),
                       fmt::format("{} read by {} at {} has {} octets and other content{}{}", sent.name(), c.who(e),
                                   c.when(e), e.size, e.set.empty() ? "" : ": ", printable(e.set, 400)),
                       {e.index},
                       e.message,
                       ""});
  }
}

/// NIL is right for a message that somebody removed meanwhile; not for one that a later complete listing has.
void withheld(Case& c) {
  std::map<std::uint32_t, std::uint32_t> uidvalidity;
  for (const Event& e : c.history.events()) {
    if ((e.what == What::select || e.what == What::examine) && e.type == history::Type::ok)
      uidvalidity[e.session] = e.uidvalidity;
    if (e.what != What::nil || e.uid == 0) continue;
    const std::uint32_t account = c.history.account_of(e);
    const std::uint32_t message = c.ledger.message_at(account, e.mailbox, uidvalidity[e.session], e.uid);
    const auto* cell = message == 0 ? nullptr : c.ledger.find(message, account, e.mailbox);
    if (cell == nullptr || !cell->enumerated || cell->present == 0 || cell->removes + cell->maybe_removes > 0) continue;
    c.find("nil", {fmt::format("the content of {}: nobody removed it", c.name_of(message)),
                   fmt::format("{} asked for UID {} at {} and got NIL; the audit finds the message in {}", c.who(e),
                               e.uid, c.when(e), e.mailbox),
                   {e.index, cell->last_seen},
                   message,
                   ""});
  }
}

}  // namespace

void judge_content(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "content", out);
  altered(c);
  withheld(c);
  judge_sizes(c);
}

}  // namespace mailproof::judge
