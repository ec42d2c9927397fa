#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mailproof::play {

// What this process played before on a real server: an MTA may deliver or report of it only now (RFC 5321 section
// 4.5.4.1), and that is ours all the same. Any thread.

/// It is over: what is stamped with this number from now on comes late.
void note_played(std::uint64_t playing);
bool played_before(std::uint64_t playing);
/// A Message-ID in its angle brackets, as mail::Token makes them, of a message of such a playing.
bool made_before(std::string_view message_id);
/// Their numbers as tokens and Message-IDs write them, the newest first.
std::vector<std::string> newest_played(std::size_t most);
inline constexpr std::size_t kPlayingsSought = 8;  ///< of these in the text of a report

}  // namespace mailproof::play
