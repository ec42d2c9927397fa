// STATUS=SIZE (RFC 8438).
#include "server/imap/session.h"

namespace mailproof::server {

const Extension& status_size_extension() {
  static const Extension extension{
      .capabilities = "STATUS=SIZE",
      .status_items = {{"SIZE", [](ImapSession&, Mailbox& mailbox) { return std::to_string(mailbox.octets()); }}}};
  return extension;
}

}  // namespace mailproof::server
