#pragma once
#include <algorithm>
#include <array>
#include <bitset>
#include <cstddef>
#include <string_view>

#include "server/defects_delivery.h"
#include "server/defects_imap.h"
#include "server/defects_imap_views.h"
#include "server/defects_pop3.h"
#include "server/defects_quota.h"
#include "server/latitudes.h"

namespace mailproof::server {

namespace detail {

template <std::size_t... N>
constexpr auto join(const std::array<Switch, N>&... tables) {
  std::array<Switch, (N + ...)> all{};
  auto to = all.begin();
  ((to = std::copy(tables.begin(), tables.end(), to)), ...);
  return all;
}

template <class Table>
constexpr std::size_t index_of(const Table& table, std::string_view name) {
  for (std::size_t i = 0; i < table.size(); ++i)
    if (table[i].name == name) return i;
  return table.size();
}

}  // namespace detail

inline constexpr auto kAllDefects =
    detail::join(kImapDefects, kImapViewDefects, kPop3Defects, kDeliveryDefects, kQuotaDefects);
inline constexpr auto kAllLatitudes = detail::join(kLatitudes);

struct Defect {
  std::size_t index;
};
struct Latitude {
  std::size_t index;
};

/// A name that is in no table does not compile: indexing past the end is no constant expression.
consteval Defect defect(std::string_view name) {
  const auto index = detail::index_of(kAllDefects, name);
  return kAllDefects[index].name.empty() ? Defect{0} : Defect{index};
}
consteval Latitude latitude(std::string_view name) {
  const auto index = detail::index_of(kAllLatitudes, name);
  return kAllLatitudes[index].name.empty() ? Latitude{0} : Latitude{index};
}

/// Which behaviours are switched on. A test costs one bit.
class Switches {
 public:
  explicit Switches(const ServerOptions& options) {
    for (std::size_t i = 0; i < kAllDefects.size(); ++i) defects_[i] = options.defects.contains(kAllDefects[i].name);
    for (std::size_t i = 0; i < kAllLatitudes.size(); ++i) {
      latitudes_[i] = options.latitudes.contains(kAllLatitudes[i].name);
    }
  }
  bool on(Defect defect) const { return defects_[defect.index]; }
  bool on(Latitude latitude) const { return latitudes_[latitude.index]; }

 private:
  std::bitset<kAllDefects.size()> defects_;
  std::bitset<kAllLatitudes.size()> latitudes_;
};

}  // namespace mailproof::server
