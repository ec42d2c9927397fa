#include "judge/additions.h"

#include <algorithm>
#include <map>

namespace mailproof::judge {

using history::Event;
using history::Type;
using history::What;

Additions::Additions(const Case& c) : c_(c) {
  constexpr std::uint32_t kNever = ~std::uint32_t{};
  std::map<std::uint32_t, Addition> open;  // by invoke
  for (const Event& e : c.history.about(What::deliver, What::append, What::copy, What::move)) {
    const std::uint32_t message = e.message != 0 ? e.message : c.invoke(e).message;
    const std::uint64_t octets = message == 0 ? 0 : c.history.message(message).size;
    if (e.type == Type::invoke) {
      open[e.index] = {e.index, kNever, e.what == What::deliver ? 0 : c.history.account_of(e), octets, false};
    } else if (completes(e)) {  // a delivery is answered for each recipient
      open.erase(e.command);
      const std::uint32_t account = e.what == What::deliver ? e.account : c.history.account_of(e);
      all_.push_back({e.command, e.index, account, octets, e.type == Type::ok});
    }
  }
  for (const auto& [invoke, one] : open) open_.push_back(one);
  earliest_.resize(all_.size());
  for (std::size_t i = all_.size(); i-- > 0;)
    earliest_[i] = i + 1 == all_.size() ? all_[i].invoke : std::min(all_[i].invoke, earliest_[i + 1]);
}

std::optional<std::uint64_t> Additions::under_way(std::uint32_t account, const Event& answer) const {
  std::uint64_t out = 0;
  bool known = true;
  const auto count = [&](const Addition& one) {
    if (one.invoke >= answer.index || one.invoke == answer.command) return;
    if (one.account != 0 && one.account != account) return;
    known &= one.octets != 0;
    out += one.octets;
  };
  const auto later = std::upper_bound(all_.begin(), all_.end(), answer.index,
                                      [](std::uint32_t index, const Addition& one) { return index < one.answer; });
  for (auto i = static_cast<std::size_t>(later - all_.begin()); i < all_.size() && earliest_[i] < answer.index; ++i)
    count(all_[i]);
  for (const Addition& one : open_) count(one);
  return known ? std::optional(out) : std::nullopt;
}

std::uint64_t Additions::accepted_beside(std::uint32_t account, std::uint32_t customer, const Event& answer) const {
  std::uint64_t out = 0;
  const auto first = std::lower_bound(all_.begin(), all_.end(), answer.command,
                                      [](const Addition& one, std::uint32_t command) { return one.answer < command; });
  for (auto it = first; it != all_.end() && it->answer <= answer.index; ++it) {
    const Addition& one = *it;
    if (!one.accepted || one.account == 0 || one.invoke == answer.command) continue;
    if (one.account == account || (customer != 0 && c_.history.account(one.account).customer == customer))
      out += one.octets;
  }
  return out;
}

}  // namespace mailproof::judge
