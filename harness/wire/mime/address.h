#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailproof::mime {

/// One element of an IMAP address list (RFC 3501 section 7.4.2): a missing value is NIL there. A group begins with an
/// element that has only `mailbox` (its name) and ends with one that has nothing.
struct Address {
  std::optional<std::string> name;     ///< phrase, quotes removed; RFC 2047 words stay encoded
  std::optional<std::string> route;    ///< source route of the obsolete syntax
  std::optional<std::string> mailbox;  ///< local part
  std::optional<std::string> host;     ///< domain; "" where an address has none
  bool operator==(const Address&) const = default;
};

/// address-list (RFC 5322 section 3.4), as lenient as stored mail needs; at most 10,000 elements.
std::vector<Address> parse_addresses(std::string_view field_body);

}  // namespace mailproof::mime
