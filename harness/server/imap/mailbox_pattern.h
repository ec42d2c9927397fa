#pragma once
#include <string_view>

namespace mailproof::server {

/// LIST's wildcards (RFC 3501 section 6.3.8): `*` matches anything, `%` anything but the hierarchy delimiter.
/// Takes time in proportion to the product of both lengths, whatever the pattern.
bool matches_pattern(std::string_view name, std::string_view pattern);

}  // namespace mailproof::server
