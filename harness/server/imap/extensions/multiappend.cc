// MULTIAPPEND (RFC 3502): all of the messages of an APPEND, or none. They are read where APPEND is (session_append.cc).
#include "server/imap/extension.h"

namespace mailproof::server {

const Extension& multiappend_extension() {
  static const Extension extension{.capabilities = "MULTIAPPEND", .several_messages = true};
  return extension;
}

}  // namespace mailproof::server
