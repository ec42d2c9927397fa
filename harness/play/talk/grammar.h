#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace mailproof::play {

/// Where a reply departs from the grammar of IMAP (RFC 3501 section 9): a stable code, and what stands there.
struct Departure {
  std::string code, excerpt;
};

/// Of an untagged reply as it came, literals in it, without its line end.
std::vector<Departure> departures(std::string_view line);

}  // namespace mailproof::play
