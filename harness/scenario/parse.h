#pragma once
#include <optional>
#include <string_view>

#include "scenario/yaml/complaints.h"
#include "scenario/yaml/node.h"

namespace mailproof::scenario {

/// The map that a file is. `what` says what it should hold, for the complaint when there is none.
std::optional<Node> parse_root(std::string_view text, std::string_view what, Complaints& complaints);
/// Complains, once, of those of `keys` that the file lacks.
void require_keys(const Node& root, const std::vector<std::string>& keys, Complaints& complaints);

/// Customers, accounts, devices, steps: what makes a story of a map, beside its head.
void read_story(const Node& map, Complaints& complaints, Scenario& scenario);
std::vector<Need> read_needs(const Node& map, Complaints& complaints);
/// A conformance file: one RFC section, many checks, each of them a scenario.
std::vector<Scenario> read_checks(const Node& root, Complaints& complaints);

}  // namespace mailproof::scenario
