#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/rng.h"
#include "core/time.h"

namespace mailproof::scenario {

class Complaints;
struct Node;

/// How long a user pauses before he plays his story again.
struct Think {
  Duration least{}, most{};  ///< drawn evenly from between; both the same where it is fixed
  bool exponential = false;  ///< independent of how long it lasts already, with `least` as the mean
  std::string text;          ///< as written: "2s..5s", "exponential 3s"

  Duration drawn(Rng& rng) const;
};

/// "2s", "2s..5s" or "exponential 3s", each at most 24h; 0s is no pause.
std::optional<Think> parse_think(std::string_view text);
std::optional<Think> read_think(const Node& node, Complaints& complaints);
inline constexpr std::string_view kThinkShape = "a thinking time like 2s, 2s..5s or exponential 3s, at most 24h";

}  // namespace mailproof::scenario
