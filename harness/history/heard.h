#pragma once
#include <string_view>

namespace mailproof::history {

// What a recording says of a session that was not heard whole.

/// Of a connect that is ok, in `code`: something came before.
inline constexpr std::string_view kMiddle = "middle";
/// Of an end, in `code`: it went on, and nobody knows how.
inline constexpr std::string_view kBlind = "blind";

}  // namespace mailproof::history
