#pragma once
#include <string>
#include <string_view>

#include "core/result.h"

namespace mailproof::smtp {

/// Reverse-path or Forward-path (RFC 5321 section 4.1.2) off the front of `rest`: "<" [A-d-l ":"] Mailbox ">" or "<>".
/// Gives the mailbox without brackets and source route. Quoted local parts, address literals and UTF-8 are understood;
/// "<Postmaster>" needs no domain. Path limit 256 octets (section 4.5.3.1.3).
Result<std::string> take_path(std::string_view& rest);

struct Mailbox {
  std::string_view local;   ///< as written, with its quotes
  std::string_view domain;  ///< empty for Postmaster
};
/// At the last "@" outside of quotes.
Mailbox split_mailbox(std::string_view path);

}  // namespace mailproof::smtp
