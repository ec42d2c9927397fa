#pragma once
#include <cstdint>
#include <string_view>

namespace mailproof::history {

/// Whether a refusal says that this mailbox is full, or over its quota: by X.2.2 (RFC 3463 section 3.3), or in words
/// where it does not say that a policy (X.7, section 3.8) is the reason.
bool says_over_quota(std::uint32_t code, std::string_view status, std::string_view text);

/// ... or that something else leaves no room: 452 and 552 (RFC 5321 section 4.2.3), a limit on one message, a disk.
bool says_no_room(std::uint32_t code, std::string_view status, std::string_view text);

/// Whether a refusal for good gives a reason of the site's that is neither room nor the address: RFC 5321 section 7.9
/// lets a server refuse mail for any. By X.3 to X.7 (RFC 3463 section 3); without a status by 554, or in words.
bool says_policy(std::uint32_t code, std::string_view status, std::string_view text);

}  // namespace mailproof::history
