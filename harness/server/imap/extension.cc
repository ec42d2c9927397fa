#include "server/imap/extension.h"

#include <algorithm>

namespace mailproof::server {

Extensions::Extensions(const Switches& switches) {
  for (const auto* extension : all_extensions()) {
    const auto& absent = extension->absent_with;
    const bool away =
        std::any_of(absent.begin(), absent.end(), [&](Latitude latitude) { return switches.on(latitude); });
    if (!away && (!extension->only_with || switches.on(*extension->only_with))) offered_.push_back(extension);
  }
}

}  // namespace mailproof::server
