// APPENDLIMIT (RFC 7889): the limit of each mailbox, told by STATUS. What is larger is refused where literals begin.
#include "server/imap/session.h"

namespace mailproof::server {

const Extension& appendlimit_extension() {
  static const Extension extension{.capabilities = "APPENDLIMIT",
                                   .status_items = {{"APPENDLIMIT", [](ImapSession&, Mailbox&) {
                                                       return std::to_string(ImapSession::kMessageLimit);
                                                     }}}};
  return extension;
}

}  // namespace mailproof::server
