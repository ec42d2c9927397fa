#include <fmt/format.h>

#include "server/imap/session.h"
#include "server/store/quota.h"

namespace mailproof::server {
namespace {

/// STORAGE counts in units of 1024 octets (RFC 9208 section 5.1); what is begun is counted.
std::uint64_t storage(std::uint64_t octets) { return (octets + 1023) / 1024; }

}  // namespace

// Every mailbox is below two roots: its owner's, named by the login, and its customer's or the domain's.
bool ImapSession::quota_root_known(std::string_view root) const {
  return root == account_->config().login || root == account_->shared().name;
}

void ImapSession::write_quota(std::string_view root) {
  const SharedLimit& shared = account_->shared();
  const auto limit = root == shared.name ? shared.quota : account_->quota();
  const auto usage = root == shared.name ? shared.usage : account_->usage();
  // Without a limit the list is empty (RFC 9208 section 4.2.1).
  print("* QUOTA {} ({})\r\n", imap_string(root),
        limit ? fmt::format("STORAGE {} {}", storage(usage), *limit / 1024) : std::string());
}

void ImapSession::cmd_getquota(imap::Cursor& c) {
  c.sp();
  const auto root = c.astring().text();
  if (!c.end()) return bad(c);
  if (!quota_root_known(root)) return no("[NONEXISTENT] No such quota root");
  write_quota(root);
  ok("Done");
}

void ImapSession::cmd_getquotaroot(imap::Cursor& c) {
  c.sp();
  const auto name = c.astring().text();
  if (!c.end()) return bad(c);
  const auto mailbox = existing(name, "[NONEXISTENT]");
  if (!mailbox) return;
  print("* QUOTAROOT {} {}", imap_string(mailbox->name()), imap_string(account_->config().login));
  if (account_->shared().quota) print(" {}", imap_string(account_->shared().name));
  write("\r\n");
  write_quota(account_->config().login);
  if (account_->shared().quota) write_quota(account_->shared().name);
  ok("Done");
}

// setquota-list = "(" [setquota-resource *(SP setquota-resource)] ")". Limits are the owner's to set, not a user's.
void ImapSession::cmd_setquota(imap::Cursor& c) {
  c.sp();
  const auto root = c.astring().text();
  c.sp();
  c.expect('(');
  while (c.ok() && c.peek() != ')') {
    c.atom();
    c.sp();
    c.number64();
    if (c.peek() != ')') c.sp();
  }
  c.expect(')');
  if (!c.end()) return bad(c);
  if (!quota_root_known(root)) return no("[NONEXISTENT] No such quota root");
  no("[NOPERM] Limits are not set by users");
}

std::string_view ImapSession::no_room_for(std::uint64_t octets) {
  switch (room_for(context(), *account_, octets)) {
    case Room::fits:
      return {};
    case Room::over_account:
      return "[OVERQUOTA] The mailbox is full";
    case Room::over_domain:
      return "[OVERQUOTA] The domain is full";
  }
  return {};
}

}  // namespace mailproof::server
