#pragma once
#include <string_view>

namespace mailproof::history {

// What POP3's EXPIRE says (RFC 2449 section 6.7), in `code` of a connect that is ok; "" = it was not announced.

inline constexpr std::string_view kExpiresAtOnce = "expires-at-once";  ///< EXPIRE 0
inline constexpr std::string_view kRetains = "retains";                ///< for so many days, or for ever

/// `code` of what is observed where a POP3 login was refused because it came too soon after another (RFC 2449 section
/// 6.5, LOGIN-DELAY): it is tried again later, or is more than anybody waits for.
inline constexpr std::string_view kTooSoon = "login-delay";

}  // namespace mailproof::history
