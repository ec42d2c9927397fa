#pragma once
#include <string>
#include <string_view>

#include "core/result.h"

namespace mailproof::smtp {

/// RFC 3461 section 4: "+", "=" and everything outside 0x21 to 0x7E as "+" and two upper-case hex digits.
std::string to_xtext(std::string_view raw);
Result<std::string> from_xtext(std::string_view text);

}  // namespace mailproof::smtp
