// CREATE-SPECIAL-USE (RFC 6154 section 3).
#include <algorithm>

#include "server/imap/session.h"

namespace mailproof::server {
namespace {

/// \All and \Flagged would be views of other mailboxes; there are none here.
constexpr std::string_view kUses[] = {"\\Archive", "\\Drafts", "\\Junk", "\\Sent", "\\Trash"};

// use-attr list = "USE" SP "(" [use-attr *(SP use-attr)] ")"
bool read_use(ImapSession& session, imap::Cursor& c) {
  std::string uses;
  c.sp();
  if (c.open_list()) {
    while (c.next_item()) {
      const auto use = c.flag();
      const auto* known = std::find_if(std::begin(kUses), std::end(kUses), [&](auto one) { return iequals(one, use); });
      if (c.ok() && known == std::end(kUses)) {
        session.no("[USEATTR] No mailbox can have that use");
        return false;
      }
      if (c.ok()) uses += (uses.empty() ? "" : " ") + std::string(*known);
    }
  }
  session.of_command<std::string>() = uses;
  return true;
}

std::string created(ImapSession& session, Mailbox& mailbox) {
  session.context().store.set_special_use(mailbox, session.of_command<std::string>());
  return {};
}

}  // namespace

const Extension& create_special_use_extension() {
  static const Extension extension{
      .capabilities = "CREATE-SPECIAL-USE", .create_parameters = {{"USE", read_use}}, .created = created};
  return extension;
}

}  // namespace mailproof::server
