// SPECIAL-USE (RFC 6154 section 2). LIST shows what a mailbox is for, asked or not.
#include "server/imap/list.h"
#include "server/imap/session.h"

namespace mailproof::server {
namespace {

bool has_use(ImapSession&, const Listed& listed) { return listed.mailbox && !listed.mailbox->special_use().empty(); }

}  // namespace

const Extension& special_use_extension() {
  static const Extension extension{.capabilities = "SPECIAL-USE",
                                   .list_selections = {{"SPECIAL-USE", has_use}},
                                   .list_returns = {{.name = "SPECIAL-USE"}}};
  return extension;
}

}  // namespace mailproof::server
