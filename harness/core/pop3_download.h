#pragma once
#include <cstdint>
#include <string_view>

namespace mailproof {

/// What becomes, when QUIT comes, of a message that the session downloaded with RETR and did not mark. RFC 1939
/// section 8 leaves that to the site, and RFC 2449 section 6.7 lets the server announce it.
enum class Pop3Download : std::uint8_t {
  keeps,   ///< it stays: EXPIRE NEVER, or any number of days
  removes  ///< it may go as if it had been marked: EXPIRE 0
};
std::string_view name(Pop3Download policy);

}  // namespace mailproof
