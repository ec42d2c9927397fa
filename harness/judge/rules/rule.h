#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "history/wire_bytes.h"

namespace mailproof::judge {

/// One breach of a rule on one connection. Nothing in it is the client's secret.
struct Violation {
  std::string expected, actual;
  std::string excerpt;  ///< "C: LIST / S: ..." as it passed, made printable
};

/// A property of bytes that a talk cannot say line by line. It is silent where it cannot know: bytes of a connection
/// that was cut, and everything behind what a client said against the grammar.
struct WireRule {
  std::string_view name;
  Protocol protocol;
  bool whole_run;         ///< looks at every connection of the run; else at those of its own check
  std::string_view what;  ///< the property, and where it is written
  /// Adds at most kMostViolations. Connections of other protocols are passed over.
  void (*look)(const history::WireBytes&, std::vector<Violation>&);
};
inline constexpr std::size_t kMostViolations = 5;

std::span<const WireRule> wire_rules();
const WireRule* find_wire_rule(std::string_view name);

}  // namespace mailproof::judge
