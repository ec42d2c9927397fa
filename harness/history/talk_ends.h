#pragma once
#include <algorithm>
#include <array>
#include <string_view>

namespace mailproof::history {

// How the talk of a check ended without a word on whether the server is right: the code of its last event, of type
// info. The finding is called so, too: "conformance/hung-up".

inline constexpr std::string_view kSilent = "silent";               ///< nothing came
inline constexpr std::string_view kHungUp = "hung-up";              ///< the connection ended without a word
inline constexpr std::string_view kNotNow = "not-now";              ///< a refusal that said so
inline constexpr std::string_view kServiceEnded = "service-ended";  ///< 421 or BYE
inline constexpr std::string_view kBeyondBounds = "beyond-bounds";  ///< more came than is followed
inline constexpr std::string_view kQueued = "queued";               ///< an MTA may have it still
inline constexpr std::array kTalkEnds = {kSilent, kHungUp, kNotNow, kServiceEnded, kBeyondBounds, kQueued};

constexpr bool is_talk_end(std::string_view code) {
  return std::find(kTalkEnds.begin(), kTalkEnds.end(), code) != kTalkEnds.end();
}
/// Whether a check that ended so is played once more.
constexpr bool may_pass(std::string_view code) { return code == kSilent || code == kHungUp || code == kNotNow; }

/// Before such a code: it is how the play before this one ended. Alone, in older histories: it was silent.
inline constexpr std::string_view kEarlier = "earlier";

}  // namespace mailproof::history
