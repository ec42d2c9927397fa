#pragma once
#include <string_view>

namespace mailproof::history {

/// Whether Event::flags, which are apart by blanks, has \Deleted, in whatever case (RFC 3501 section 9).
bool has_deleted(std::string_view flags);

}  // namespace mailproof::history
