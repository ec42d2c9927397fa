// CONDSTORE (RFC 7162 section 3.1). CHANGEDSINCE, UNCHANGEDSINCE and MODSEQ are read where FETCH, STORE and SEARCH are.
#include "server/imap/session.h"

namespace mailproof::server {
namespace {

std::string highest_modseq(ImapSession& session, Mailbox& mailbox) {
  session.enable_condstore();
  return std::to_string(session.highest_modseq(mailbox));
}

bool condstore_parameter(ImapSession& session, imap::Cursor&) {
  session.enable_condstore(false);
  return true;
}

}  // namespace

const Extension& condstore_extension() {
  static const Extension extension{.capabilities = "CONDSTORE",
                                   .enables = {{"CONDSTORE", [](ImapSession& session) { session.enable_condstore(); }}},
                                   .status_items = {{"HIGHESTMODSEQ", highest_modseq}},
                                   .select_parameters = {{"CONDSTORE", condstore_parameter}}};
  return extension;
}

}  // namespace mailproof::server
