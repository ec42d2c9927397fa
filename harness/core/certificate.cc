#include "core/certificate.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "core/bytes.h"

namespace mailproof {
namespace {

constexpr std::size_t kNamesShown = 8;

}  // namespace

std::string Certificate::label() const {
  std::string list;
  for (std::size_t i = 0; i < names.size() && i < kNamesShown; ++i)
    list += fmt::format("{}{}", i == 0 ? "" : ", ", printable(names[i]));
  if (names.size() > kNamesShown) list += fmt::format(" and {} more", names.size() - kNamesShown);
  const std::time_t until = valid_until.time_since_epoch().count();
  return fmt::format("certificate of '{}' (names: {}; valid until {:%Y-%m-%d})", printable(subject),
                     names.empty() ? "none" : list, fmt::gmtime(until));
}

}  // namespace mailproof
