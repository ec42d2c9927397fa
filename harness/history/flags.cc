#include "history/flags.h"

#include <algorithm>

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

}  // namespace mailproof::history
