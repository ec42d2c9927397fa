#include "load/parcels.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/rng.h"

namespace mailproof::load {

std::size_t Parcels::add(std::uint32_t number, std::uint32_t account, std::uint32_t size) {
  numbers_.push_back(number);
  Parcel parcel;
  parcel.account = account;
  parcel.size = size;
  all_.push_back(parcel);
  return all_.size() - 1;
}

mail::Token Parcels::token(std::size_t index) const {
  mail::Token token;
  token.run = run_id_;
  token.number = numbers_[index];
  token.seed = derive_seed(seed_, "parcel", token.number);
  token.owner = owner_(all_[index].account);
  return token;
}

std::string Parcels::playing() const { return fmt::format("{:016x}", run_id_); }

std::size_t Parcels::index(std::uint32_t number) const {
  return static_cast<std::size_t>(std::lower_bound(numbers_.begin(), numbers_.end(), number) - numbers_.begin());
}

std::uint32_t Parcels::exactly(const mail::Token& token) const {
  if (token.run != run_id_ || !std::binary_search(numbers_.begin(), numbers_.end(), token.number)) return 0;
  const std::size_t at = index(token.number);
  if (token.seed != derive_seed(seed_, "parcel", token.number)) return 0;
  return token.owner == owner_(all_[at].account) ? token.number : 0;
}

/// "<run.number.seed@mailproof.invalid>", as mail::Token::message_id() writes it.
std::uint32_t Parcels::which(std::string_view message_id) const {
  const auto dot = message_id.find('.');
  if (dot == std::string_view::npos) return 0;
  std::uint32_t number = 0;
  const char* from = message_id.data() + dot + 1;
  std::from_chars(from, message_id.data() + message_id.size(), number);
  if (!std::binary_search(numbers_.begin(), numbers_.end(), number)) return 0;
  return token(index(number)).message_id() == message_id ? number : 0;
}

End Parcels::end(const Parcel& parcel) {
  using Outcome = Parcel::Outcome;
  if (parcel.outcome == Outcome::refused) return End::refused;
  if (parcel.outcome != Outcome::accepted) return End::unknown;
  if (parcel.present != 0) return End::present;
  if (parcel.removal_certain) return End::removed;
  if (parcel.bounced) return End::bounced;
  if (!parcel.looked_for) return End::not_looked_for;
  return parcel.removal_asked ? End::removed : End::lost;
}

}  // namespace mailproof::load
