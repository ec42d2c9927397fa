#pragma once
#include <string_view>

#include "wire/mime/date.h"

namespace mailproof::judge {

/// Whether two INTERNALDATEs are one instant: in which zone a server tells it is its own affair (RFC 3501 section
/// 2.3.3). What is no date is itself only.
inline bool same_date(std::string_view one, std::string_view other) {
  if (one == other) return true;
  const auto first = mime::parse_internal_date(one), second = mime::parse_internal_date(other);
  return first && second && first->unix_seconds() == second->unix_seconds();
}

}  // namespace mailproof::judge
