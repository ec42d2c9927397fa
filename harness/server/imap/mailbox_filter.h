#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/store.h"
#include "wire/imap/cursor.h"

namespace mailproof::server {

class ImapSession;

/// filter-mailboxes of NOTIFY (RFC 5465 section 6), also the source of a search over mailboxes (RFC 7377 section 2.2).
struct MailboxFilter {
  enum class Kind { selected, selected_delayed, inboxes, personal, subscribed, subtree, subtree_one, mailboxes };
  Kind kind = Kind::selected;
  std::vector<std::string> names;  ///< of subtree, subtree_one and mailboxes

  bool selected() const { return kind == Kind::selected || kind == Kind::selected_delayed; }
  /// Of an account's own mailboxes; what is selected nobody here knows.
  bool covers(const AccountState& account, std::string_view name) const;
};

/// Check c.ok() afterwards.
MailboxFilter read_mailbox_filter(const ImapSession& session, imap::Cursor& c);

}  // namespace mailproof::server
