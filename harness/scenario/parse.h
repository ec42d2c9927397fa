#pragma once
#include <optional>
#include <string_view>

#include "scenario/complaints.h"
#include "scenario/node.h"

namespace mailproof::scenario {

/// The map that a file is. `what` says what it should hold, for the complaint when there is none.
std::optional<Node> parse_root(std::string_view text, std::string_view what, Complaints& complaints);
/// Complains, once, of those of `keys` that the file lacks.
void require_keys(const Node& root, const std::vector<std::string>& keys, Complaints& complaints);

}  // namespace mailproof::scenario
