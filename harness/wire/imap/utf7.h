#pragma once
#include <string>
#include <string_view>

#include "core/result.h"

namespace mailproof::imap {

/// Mailbox names on the wire: modified UTF-7 (RFC 3501 section 5.1.3). Both directions are strict, so that each name
/// has one form: encode_utf7(decode_utf7(x)) == x whenever x is accepted.

/// Fails on what is not UTF-8 (overlong forms and surrogates included). where = "octet n".
Result<std::string> encode_utf7(std::string_view utf8);

/// Fails on 8-bit or control octets, an unfinished or superfluous shift, printable ASCII in base64, lone surrogates,
/// bits left over.
Result<std::string> decode_utf7(std::string_view name);

/// Printable US-ASCII without "&": what both forms write alike.
inline bool same_in_utf7(std::string_view name) {
  for (const char c : name)
    if (c < ' ' || c > '~' || c == '&') return false;
  return true;
}

}  // namespace mailproof::imap
