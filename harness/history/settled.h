#pragma once
#include <string_view>

namespace mailproof::history {

/// Of a settle event, in `code`: a second look was left out, so that absence is not confirmed.
inline constexpr std::string_view kNotSettled = "left-out";

}  // namespace mailproof::history
