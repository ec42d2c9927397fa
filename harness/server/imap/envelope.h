#pragma once
#include <string>

#include "wire/mime/envelope.h"
#include "wire/mime/structure.h"

namespace mailproof::server {

/// envelope and body of RFC 3501 section 9, appended as the wire wants them.
void format_envelope(const mime::Envelope& envelope, std::string& out);
/// `part` of `message`. `extended`: BODYSTRUCTURE, else BODY without the extension data.
void format_body_structure(const mime::Part& part, std::string_view message, bool extended, std::string& out);

}  // namespace mailproof::server
