#include "server/imap/extension.h"

namespace mailproof::server {

Extensions::Extensions(const Switches& switches) {
  for (const auto* extension : all_extensions())
    if (!extension->absent_with || !switches.on(*extension->absent_with)) offered_.push_back(extension);
}

}  // namespace mailproof::server
