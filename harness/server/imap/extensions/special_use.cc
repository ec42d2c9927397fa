// SPECIAL-USE (RFC 6154): LIST shows what a mailbox is for.
#include "server/imap/extension.h"

namespace mailproof::server {

const Extension& special_use_extension() {
  static const Extension extension{.capabilities = "SPECIAL-USE"};
  return extension;
}

}  // namespace mailproof::server
