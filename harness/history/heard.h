#pragma once
#include <string_view>

namespace mailproof::history {

// What a recording says of a session that was not heard whole. A connect that is ok also has, in `seq`, the seconds
// that the stamps of the recording are apart, where it has only whole ones.

/// Of a connect that is ok, in `code`: something came before.
inline constexpr std::string_view kMiddle = "middle";
/// ... it has no times, or no date, and there are other recordings: what was before what nobody can say.
inline constexpr std::string_view kUnordered = "unordered";
/// Of an end, in `code`: it went on, and nobody knows how.
inline constexpr std::string_view kBlind = "blind";
/// Of what is observed, in `code`: the client asked for something that is not known, and may remove anything.
inline constexpr std::string_view kUnknownCommand = "unknown-command";
/// ... and it was refused: that event is the one of the number `seq`.
inline constexpr std::string_view kUnknownRefused = "unknown-command-refused";

}  // namespace mailproof::history
