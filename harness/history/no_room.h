#pragma once
#include <cstdint>
#include <string_view>

namespace mailproof::history {

/// Whether a refusal says that this mailbox is full, or over its quota: by X.2.2 (RFC 3463 section 3.3), or in words
/// where it does not say that a policy (X.7, section 3.8) is the reason.
bool says_over_quota(std::uint32_t code, std::string_view status, std::string_view text);

/// ... or that something else leaves no room: 452 and 552 (RFC 5321 section 4.2.3), a limit on one message, a disk.
bool says_no_room(std::uint32_t code, std::string_view status, std::string_view text);

/// Whether a refusal for good says that the recipient is none, or that his mailbox takes no mail: X.1 and X.2 (RFC 3463
/// sections 3.2 and 3.3) but for X.1.7 and X.1.8, which are about the sender; without a status 551, or in words.
bool says_no_such_recipient(std::uint32_t code, std::string_view status, std::string_view text);

/// Whether a refusal for good has neither room nor the recipient as its reason: RFC 5321 section 7.9 lets a server
/// refuse mail "for any operational or technical reason that makes sense to the site", and gives the words to nobody.
bool says_policy(std::uint32_t code, std::string_view status, std::string_view text);

}  // namespace mailproof::history
