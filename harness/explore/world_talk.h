#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "explore/world.h"

namespace mailproof::explore {

/// A random talk: what the verbs of stories cannot say, said on the wire in a check of the one language. POP3 commands
/// that come in one piece, mail whose lines end oddly and what comes in one piece with STARTTLS over SMTP, failures
/// of which nobody wants a report, and what IMAP says of numbers, names and counts. What must come back follows from a
/// model of a few lines. Each kind of talk has its turn: of as many talks in a row as there are kinds, each is one.
/// Nothing: a target with this offer has no such talk.
std::optional<std::string> talk(std::uint64_t seed, const Offer& offer);
/// One world in four is a talk.
bool is_talk(std::uint64_t seed);

/// The id of such a check, behind the world's own: "explore.seed-17.talk".
inline constexpr std::string_view kTalkSlug = "talk";

}  // namespace mailproof::explore
