#include "history/flags.h"

#include <algorithm>
#include <string>

#include "core/bytes.h"

namespace mailproof::history {

bool has_deleted(std::string_view flags) {
  while (!flags.empty()) {
    const std::size_t space = std::min(flags.find(' '), flags.size());
    if (iequals(flags.substr(0, space), "\\Deleted")) return true;
    flags.remove_prefix(std::min(space + 1, flags.size()));
  }
  return false;
}

ToDeleted to_deleted(std::string_view how, std::string_view flags) {
  const bool replaces = istarts_with(how, "FLAGS");
  if (has_deleted(flags)) return how.starts_with('-') ? ToDeleted::clears : ToDeleted::sets;
  return replaces ? ToDeleted::clears : ToDeleted::nothing;
}

bool sets_seen(std::string_view items) {
  const std::string text = upper(items);
  for (const std::string_view word : {"BODY[", "BINARY[", "RFC822.TEXT"})
    if (text.find(word) != std::string::npos) return true;
  for (auto at = text.find("RFC822"); at != std::string::npos; at = text.find("RFC822", at + 1))
    if (at + 6 == text.size() || text[at + 6] == ' ' || text[at + 6] == ')') return true;
  return false;
}

}  // namespace mailproof::history
