#include "load/parcels.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/rng.h"

namespace mailproof::load {

std::size_t Parcels::add(std::uint32_t number, std::uint32_t account, std::uint32_t size) {
  const auto index = static_cast<std::uint32_t>(all_.size());
  numbers_.push_back(number);
  auto& series = number < kCustomers ? came_ : sent_;
  const auto before = [this](std::uint32_t one, std::uint32_t n) { return numbers_[one] < n; };
  const bool last = series.empty() || numbers_[series.back()] < number;
  series.insert(last ? series.end() : std::lower_bound(series.begin(), series.end(), number, before), index);
  Parcel parcel;
  parcel.account = account;
  parcel.size = size;
  all_.push_back(parcel);
  return all_.size() - 1;
}

namespace {

void count(const Parcel& one, ParcelCounts& into, std::uint64_t times) {
  using Outcome = Parcel::Outcome;
  if (one.outcome == Outcome::waiting) return;
  into.sent += times;
  into.refused += one.outcome == Outcome::refused ? times : 0;
  into.unknown += one.outcome == Outcome::unknown ? times : 0;
  if (one.outcome != Outcome::accepted) return;
  into.accepted += times;
  into.removed += one.removal_certain ? times : 0;
  into.seen += one.was_seen && !one.removal_certain ? times : 0;
}

}  // namespace

void Parcels::came_to(std::size_t index, Parcel::Outcome outcome) {
  count(all_[index], counts_, ~std::uint64_t{0});
  all_[index].outcome = outcome;
  count(all_[index], counts_, 1);
}

void Parcels::was_seen(std::size_t index) {
  count(all_[index], counts_, ~std::uint64_t{0});
  all_[index].was_seen = true;
  count(all_[index], counts_, 1);
}

void Parcels::removed(std::size_t index) {
  count(all_[index], counts_, ~std::uint64_t{0});
  all_[index].removal_certain = true;
  count(all_[index], counts_, 1);
}

ParcelCounts Parcels::counted() const {
  ParcelCounts out;
  for (const Parcel& one : all_) count(one, out, 1);
  return out;
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

std::string Parcels::no_playing() const { return fmt::format("{:016x}", derive_seed(run_id_, "no playing")); }

std::optional<std::size_t> Parcels::place(std::uint32_t number) const {
  const auto& series = number < kCustomers ? came_ : sent_;
  const auto at = std::lower_bound(series.begin(), series.end(), number,
                                   [this](std::uint32_t one, std::uint32_t n) { return numbers_[one] < n; });
  return at != series.end() && numbers_[*at] == number ? std::optional<std::size_t>(*at) : std::nullopt;
}

std::size_t Parcels::index(std::uint32_t number) const { return place(number).value_or(0); }

std::uint32_t Parcels::exactly(const mail::Token& token) const { return place(token) ? token.number : 0; }

std::optional<std::size_t> Parcels::place(const mail::Token& token) const {
  const auto at = token.run == run_id_ ? place(token.number) : std::nullopt;
  if (!at || token.seed != derive_seed(seed_, "parcel", token.number)) return std::nullopt;
  return token.owner == owner_(all_[*at].account) ? at : std::nullopt;
}

std::optional<std::size_t> Parcels::same(const mail::ContentScanner& scanner) const {
  const mail::Token* token = scanner.token();
  if (token == nullptr || !scanner.others_above() || !scanner.header_ended() || token->run != run_id_)
    return std::nullopt;
  // What is the same has the token's line as it was made: of its seed and its owner nothing more is to be asked.
  const auto at = place(token->number);
  return at && all_[*at].hash == scanner.hash() ? at : std::nullopt;
}

/// "<run.number.seed@mailproof.invalid>", as mail::Token::message_id() writes it.
std::uint32_t Parcels::which(std::string_view message_id) const {
  const auto dot = message_id.find('.');
  if (dot == std::string_view::npos) return 0;
  std::uint32_t number = 0;
  const char* from = message_id.data() + dot + 1;
  std::from_chars(from, message_id.data() + message_id.size(), number);
  const auto at = place(number);
  return at && token(*at).message_id() == message_id ? number : 0;
}

End Parcels::end(const Parcel& parcel) {
  using Outcome = Parcel::Outcome;
  if (parcel.outcome == Outcome::refused) return End::refused;
  if (parcel.outcome != Outcome::accepted) return End::unknown;
  if (parcel.present != 0) return End::present;
  if (parcel.removal_certain) return End::removed;
  if (parcel.bounced) return End::bounced;
  if (parcel.looks == 0) return End::not_looked_for;
  if (parcel.removal_asked) return End::unanswered;
  // Loss is never called on one omission.
  if (parcel.looks < 2 && !parcel.downloaded) return End::not_looked_for;
  if (parcel.flagged) return End::flagged;
  return parcel.marked ? End::unquit : End::lost;
}

}  // namespace mailproof::load
