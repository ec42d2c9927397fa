#pragma once
#include <cstdint>
#include <string_view>

namespace mailproof {

/// What becomes, for IMAP, of a message that a POP3 client deletes. RFC 1939 section 6 asks for its removal from the
/// maildrop and knows no other view.
enum class Pop3Delete : std::uint8_t {
  removes,         ///< it goes from INBOX as well
  keeps_for_imap,  ///< it stays in INBOX, and counts for the quota
  to_trash         ///< it is in another mailbox of the account afterwards, and counts for the quota
};
std::string_view name(Pop3Delete policy);

}  // namespace mailproof
