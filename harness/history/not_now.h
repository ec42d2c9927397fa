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

/// ... of an -ERR, which has it in its text (RFC 2449 section 8.1.2, RFC 3206 section 4).
inline bool pop3_says_not_now(std::string_view text) {
  const std::string words = upper(text);
  return words.find("[SYS/TEMP]") != std::string::npos || words.find("[IN-USE]") != std::string::npos;
}

}  // namespace mailproof::history
