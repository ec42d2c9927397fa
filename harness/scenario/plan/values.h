#pragma once
#include <optional>
#include <string_view>

#include "scenario/plan/profile.h"

namespace mailproof::scenario {

class Complaints;
struct Node;

// Values that plans and profiles have in common.

/// "40%": 0.4; at most `most`, and more than nothing.
std::optional<double> read_part(const Node& node, double most, Complaints& complaints);
/// "10s..20s", or one time.
std::optional<Span> read_span(const Node& node, Complaints& complaints);
/// "150/s".
std::optional<double> read_rate(const Node& node, double most, Complaints& complaints);
/// Whether a YAML text has this key at its top. Cheap, so that whoever walks through folders can pass over other kinds.
bool has_top_key(std::string_view text, std::string_view key);

}  // namespace mailproof::scenario
