#pragma once
#include <string>
#include <string_view>

#include "server/imap/mime_part.h"

namespace mailproof::server {

/// envelope and body of RFC 3501 section 9, appended as the wire wants them.
void format_envelope(std::string_view header, std::string& out);
/// `extended`: BODYSTRUCTURE, else BODY without the extension data.
void format_body_structure(const MimePart& part, bool extended, std::string& out);

/// The addresses of a From:, To: or similar field (RFC 5322 section 3.4) as IMAP's list of address structures, NIL when
/// there is none.
void format_addresses(std::string_view field, std::string& out);

}  // namespace mailproof::server
