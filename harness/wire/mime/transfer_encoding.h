#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace mailproof::mime {

/// A body without its Content-Transfer-Encoding (RFC 2045 section 6), `encoding` in any case: 7bit, 8bit and binary as
/// they are, quoted-printable and base64 decoded. Nothing: nobody knows that encoding, or the base64 is none. Of
/// quoted-printable what is malformed stays as it is, as section 6.7 advises.
std::optional<std::string> transfer_decoded(std::string_view encoding, std::string_view body);

/// RFC 2045 section 6.7.
std::string from_quoted_printable(std::string_view text);

}  // namespace mailproof::mime
