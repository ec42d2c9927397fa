#include "server/imap/mailbox_pattern.h"

#include <vector>

#include "server/store/store.h"

namespace mailproof::server {

bool matches_pattern(std::string_view name, std::string_view pattern) {
  // reached[i]: the pattern so far can match the first i characters of the name.
  std::vector<bool> reached(name.size() + 1, false);
  reached[0] = true;
  for (const char p : pattern) {
    if (p == '*' || p == '%') {
      for (std::size_t i = 0; i < name.size(); ++i) {
        if (reached[i] && (p == '*' || name[i] != kHierarchyDelimiter)) reached[i + 1] = true;
      }
      continue;
    }
    for (std::size_t i = name.size(); i > 0; --i) reached[i] = reached[i - 1] && name[i - 1] == p;
    reached[0] = false;
  }
  return reached[name.size()];
}

}  // namespace mailproof::server
