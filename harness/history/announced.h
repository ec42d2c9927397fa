#pragma once
#include <string_view>

namespace mailproof::history {

// What POP3's EXPIRE says (RFC 2449 section 6.7), in `code` of a connect that is ok; "" = it was not announced.

inline constexpr std::string_view kExpiresAtOnce = "expires-at-once";  ///< EXPIRE 0
inline constexpr std::string_view kRetains = "retains";                ///< for so many days, or for ever

}  // namespace mailproof::history
