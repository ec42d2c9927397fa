#pragma once
#include <string>
#include <string_view>

namespace mailproof::server {

/// string of RFC 3501 section 9: quoted where that is possible, else a literal. `utf8`: where it may be quoted too.
std::string imap_string(std::string_view text, bool utf8 = false);

}  // namespace mailproof::server
