// LITERAL- (RFC 7888 section 5) instead of LITERAL+, by a latitude: both may not be announced.
#include "server/imap/extension.h"

namespace mailproof::server {

const Extension& literal_minus_extension() {
  static const Extension extension{.capabilities = "LITERAL-", .only_with = latitude("imap.literal-minus")};
  return extension;
}

}  // namespace mailproof::server
