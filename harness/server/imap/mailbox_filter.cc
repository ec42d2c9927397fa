#include "server/imap/mailbox_filter.h"

#include <algorithm>

#include "core/bytes.h"
#include "server/imap/session.h"

namespace mailproof::server {
namespace {

struct FilterWord {
  std::string_view name;
  MailboxFilter::Kind kind;
};
constexpr FilterWord kFilterWords[] = {
    {"SELECTED", MailboxFilter::Kind::selected},       {"SELECTED-DELAYED", MailboxFilter::Kind::selected_delayed},
    {"INBOXES", MailboxFilter::Kind::inboxes},         {"PERSONAL", MailboxFilter::Kind::personal},
    {"SUBSCRIBED", MailboxFilter::Kind::subscribed},   {"SUBTREE", MailboxFilter::Kind::subtree},
    {"SUBTREE-ONE", MailboxFilter::Kind::subtree_one}, {"MAILBOXES", MailboxFilter::Kind::mailboxes}};

}  // namespace

bool MailboxFilter::covers(const AccountState& account, std::string_view name) const {
  const auto below = [&](std::string_view top, bool one_level) {
    if (name == top) return true;
    if (!name.starts_with(top) || name[top.size()] != kHierarchyDelimiter) return false;
    return !one_level || name.find(kHierarchyDelimiter, top.size() + 1) == std::string_view::npos;
  };
  const auto any = [&](auto matches) { return std::any_of(names.begin(), names.end(), matches); };
  switch (kind) {
    case Kind::inboxes:
      return name == account.inbox().name();
    case Kind::personal:
      return true;
    case Kind::subscribed:
      return account.subscriptions().contains(name);
    case Kind::subtree:
    case Kind::subtree_one:
      return any([&](const std::string& top) { return below(top, kind == Kind::subtree_one); });
    case Kind::mailboxes:
      return any([&](const std::string& one) { return one == name; });
    default:
      return false;
  }
}

MailboxFilter read_mailbox_filter(const ImapSession& session, imap::Cursor& c) {
  MailboxFilter filter;
  const auto word = upper(c.atom());
  const auto* known =
      std::find_if(std::begin(kFilterWords), std::end(kFilterWords), [&](const auto& one) { return one.name == word; });
  if (known == std::end(kFilterWords)) {
    c.fail("selected, inboxes, personal, subscribed, subtree or mailboxes");
    return filter;
  }
  filter.kind = known->kind;
  if (filter.kind < MailboxFilter::Kind::subtree) return filter;
  c.sp();
  const auto name = [&] { filter.names.push_back(session.canonical(c.astring().text())); };
  if (c.peek() != '(') {
    name();
  } else if (c.open_list()) {
    while (c.next_item()) name();
    if (filter.names.empty()) c.fail("a mailbox");
  }
  return filter;
}

}  // namespace mailproof::server
