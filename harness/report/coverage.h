#pragma once
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace mailproof::report {

/// A row of scenarios/conformance/catalogue.tsv: a sentence of an RFC, or a practice, that a check can be about.
struct Requirement {
  std::string id;  ///< of the check that there is or should be: "pop3.1939-5.list-empty"
  std::string rfc, section;
  std::string level;     ///< "MUST", "SHOULD", "PRACTICE", "MAY"
  std::string protocol;  ///< "pop3", "pop3+imap"
  std::string title;
};

/// Tab-separated; the first line names the columns, which may come in any order.
Result<std::vector<Requirement>> parse_catalogue(std::string_view text, const std::string& name);

struct CheckLevel {
  std::string id, level;
  std::string note = {};  ///< why the check is not what its row says
};

/// What `protocol` below can be: every word of the catalogue's protocols, and those that ids begin with.
std::set<std::string> protocols_of(std::span<const Requirement> catalogue, std::span<const CheckLevel> checks);

/// For each section how many checks there are, by level, and how many rows of the catalogue have none; then every MUST
/// row without a check. `protocol` restricts it to ids that begin with it and rows that are about it too; "" = all.
std::string coverage_text(std::span<const Requirement> catalogue, std::span<const CheckLevel> checks,
                          const std::string& protocol);

/// Every check that has another level than its row of the catalogue, and the note that says why; then how many.
std::string levels_text(std::span<const Requirement> catalogue, std::span<const CheckLevel> checks,
                        const std::string& protocol);

}  // namespace mailproof::report
