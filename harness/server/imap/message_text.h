#pragma once
#include <string>

#include "server/store/mailbox.h"

namespace mailproof::server {

/// Makes every line end a CRLF, as the store promises; some clients append bare LF.
void with_crlf(std::string& text);

/// \Recent taken out (it cannot be stored); false when a system flag is none we know (RFC 3501 section 2.3.2).
bool storable(Flags& flags);

}  // namespace mailproof::server
