#include "judge/holdings.h"

#include <algorithm>

#include "judge/came_later.h"

namespace mailproof::judge {
namespace {

/// Servers add trace headers to what they store.
constexpr std::uint64_t kTraceHeaders = 1024;

template <class Sums>
auto& at(Sums& sums, std::uint32_t number) {
  if (sums.size() <= number) sums.resize(number + 1);
  return sums[number];
}

}  // namespace

Holdings::Holdings(const Case& c, const history::Ledger& so_far, const Sightings& seen)
    : c_(c), so_far_(so_far), seen_(seen), policy_(c) {}

Holdings::Share Holdings::share_of(const history::Cell& cell) const {
  Share out;
  const std::uint64_t size = c_.history.message(cell.message).size;
  const std::string& mailbox = so_far_.mailbox_name(cell.mailbox);
  // A server that doubles messages fills the mailbox by that, not by its quota.
  const auto doubled = seen_.find({cell.message, cell.account, mailbox});
  // From POP3 alone, or in a mailbox for what was expunged.
  const int hidden = policy_.fills(cell.account) ? std::max<int>(cell.pop_removes, cell.removes) : 0;
  const int most = cell.most() + hidden;
  const int copies = most == 0 || doubled == seen_.end() ? most : std::max(most, doubled->second.copies);
  out.bounds.most = static_cast<std::uint64_t>(copies) * (size + kTraceHeaders);
  const auto* end = c_.ledger.find(cell.message, cell.account, mailbox);
  const bool arrived = end != nullptr && end->first_seen != 0 && !end->bounced;
  if (arrived) out.bounds.least = static_cast<std::uint64_t>(cell.least()) * size;
  out.bounds.messages = static_cast<std::uint64_t>(copies);
  int queued = 0;  // RFC 5321 section 4.5.4.1
  for (const history::Attempt& attempt : so_far_.attempts_of(cell.message))
    if (attempt.account == cell.account && attempt.outcome == history::Type::ok && attempt.event > cell.last_seen &&
        over_smtp(c_, c_.history.event(attempt.event)))
      ++queued;
  if (arrived) out.bounds.arrived = static_cast<std::uint64_t>(std::max(0, cell.least() - queued)) * size;
  out.had = cell.adds > 0;
  return out;
}

void Holdings::follow() {
  for (const std::uint32_t place : so_far_.touched()) {
    if (shares_.size() <= place) shares_.resize(place + 1);
    const history::Cell& cell = so_far_.cells()[place];
    Share& before = shares_[place];
    const Share now = share_of(cell);
    const std::uint32_t customer = cell.account == 0 || cell.account > c_.history.info.accounts.size()
                                       ? 0
                                       : c_.history.account(cell.account).customer;
    for (Sum* sum : {&at(by_account_, cell.account), &at(by_customer_, customer)}) {
      sum->bounds.least += now.bounds.least - before.bounds.least;
      sum->bounds.most += now.bounds.most - before.bounds.most;
      sum->bounds.arrived += now.bounds.arrived - before.bounds.arrived;
      sum->bounds.messages += now.bounds.messages - before.bounds.messages;
      sum->had += (now.had ? 1U : 0U) - (before.had ? 1U : 0U);
    }
    before = now;
  }
}

Bounds Holdings::of_account(std::uint32_t account) const {
  return account < by_account_.size() ? by_account_[account].bounds : Bounds{};
}

Bounds Holdings::of_customer(std::uint32_t customer) const {
  return customer < by_customer_.size() ? by_customer_[customer].bounds : Bounds{};
}

bool Holdings::had_mail(std::uint32_t account) const {
  return account < by_account_.size() && by_account_[account].had > 0;
}

}  // namespace mailproof::judge
