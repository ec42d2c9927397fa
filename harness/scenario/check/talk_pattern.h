#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailproof::scenario {

/// A variable as it stands in a pattern: "${size:octets}".
struct TalkVariable {
  std::string name, type;
};

/// A word of a pattern, cut into literal text and variables.
struct TalkPart {
  std::string literal;
  std::optional<TalkVariable> variable;
};
/// Where the brace that opens at `open` closes; npos = never. Braces nest, and a backslash takes the next octet along:
/// a regex between / may hold braces.
std::size_t closing_brace(std::string_view text, std::size_t open);
std::vector<TalkPart> cut_pattern(std::string_view text);
/// "box", "box2", "box/a/b", "token", "sep": what a talk says of mailboxes of its own
/// (scenarios/conformance/README.md, "Mailboxes of its own").
bool is_own_mailbox(std::string_view name);
/// Words between blanks; those within ${...} and {...} do not cut.
std::vector<std::string> pattern_words(std::string_view pattern);

}  // namespace mailproof::scenario
