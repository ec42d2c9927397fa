// IMAP4rev2 (RFC 9051). It consists of extensions; what changes in a session that has enabled it is asked for where it
// happens: no RECENT, ESEARCH instead of SEARCH, names in UTF-8. It is not there where a latitude takes away what it
// contains.
#include "server/imap/list.h"
#include "server/imap/session.h"

namespace mailproof::server {
namespace {

// "The server MUST return a LIST response with the mailbox name" (section 6.3.2).
void list_selected(ImapSession& session) {
  if (!session.enabled("IMAP4REV2")) return;
  auto& mailbox = session.view()->mailbox();
  const Listed listed{.name = session.name_of(mailbox), .mailbox = session.mailbox(session.name_of(mailbox))};
  session.write_list(listed, Store::has_inferiors(mailbox.owner(), mailbox.name()), "");
}

}  // namespace

const Extension& imap4rev2_extension() {
  static const Extension extension{
      .capabilities = "IMAP4rev2",
      .absent_with = {latitude("imap.no-move"), latitude("imap.no-uidplus"), latitude("imap.no-quota")},
      .enables = {{"IMAP4rev2"}},
      .selected = list_selected};
  return extension;
}

}  // namespace mailproof::server
