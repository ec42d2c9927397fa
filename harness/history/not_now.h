#pragma once
#include <algorithm>
#include <array>
#include <string_view>

#include "core/bytes.h"

namespace mailproof::history {

/// Whether the code of a NO says that the server cannot do it now, and not that it does not (RFC 5530 section 3).
inline bool says_not_now(std::string_view code) {
  constexpr std::array<std::string_view, 5> kCodes = {"UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG", "CONTACTADMIN"};
  return std::any_of(kCodes.begin(), kCodes.end(), [&](std::string_view known) { return iequals(code, known); });
}

/// Whether an -ERR says that it is about the system and not about the command (RFC 3206 section 4: SYS/TEMP passes,
/// SYS/PERM wants somebody to see to it), or that somebody else has what it takes (RFC 2449 section 8.1.2). Its code
/// is told apart, or stands in the text of what another program recorded.
inline bool pop3_says_not_now(std::string_view code, std::string_view text) {
  const std::string words = upper(text);
  return istarts_with(code, "SYS/") || iequals(code, "IN-USE") || words.find("[SYS/") != std::string::npos ||
         words.find("[IN-USE]") != std::string::npos;
}

/// Whether an -ERR to a login says that another session has the maildrop: [IN-USE] (RFC 2449 section 8.1.2). In words
/// only where no code says that it is something else: an account may be locked, too.
inline bool pop3_says_in_use(std::string_view text) {
  const std::string words = upper(text);
  if (words.find("[IN-USE]") != std::string::npos) return true;
  const bool told = words.find("LOCKED") != std::string::npos || words.find("IN USE") != std::string::npos;
  return told && words.find('[') == std::string::npos;
}

}  // namespace mailproof::history
