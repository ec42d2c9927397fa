#include "judge/additions.h"

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
  for (const auto& [invoke, one] : open) all_.push_back(one);
}

std::optional<std::uint64_t> Additions::under_way(std::uint32_t account, const Event& answer) const {
  std::uint64_t out = 0;
  for (const Addition& one : all_) {
    const bool open = one.invoke < answer.index && one.answer > answer.index && one.invoke != answer.command;
    if (!open || (one.account != 0 && one.account != account)) continue;
    if (one.octets == 0) return std::nullopt;
    out += one.octets;
  }
  return out;
}

std::uint64_t Additions::accepted_beside(std::uint32_t account, std::uint32_t customer, const Event& answer) const {
  std::uint64_t out = 0;
  for (const Addition& one : all_) {
    if (!one.accepted || one.account == 0 || one.invoke == answer.command) continue;
    if (one.answer < answer.command || one.answer > answer.index) continue;
    if (one.account == account || (customer != 0 && c_.history.account(one.account).customer == customer))
      out += one.octets;
  }
  return out;
}

}  // namespace mailproof::judge
