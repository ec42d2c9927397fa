#pragma once
#include <optional>
#include <string>

namespace mailproof::cli {

/// Of a load plan, whose customers keep no histories: what is left of its lost messages, for people. `message`: a
/// number, as it is written in the findings ("91", "message 91"); "" = all. Nothing where the run has none like that.
std::optional<std::string> lost_messages_text(const std::string& directory, const std::string& message);

}  // namespace mailproof::cli
