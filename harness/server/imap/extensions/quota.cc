// QUOTA (RFC 9208): every mailbox is below two roots, its owner's, named by the login, and its customer's or the
// domain's. That there is room is looked at where messages are stored.
#include <fmt/format.h>

#include "server/imap/session.h"

namespace mailproof::server {
namespace {

/// STORAGE counts in units of 1024 octets (RFC 9208 section 5.1); what is begun is counted.
std::uint64_t storage(std::uint64_t octets) { return (octets + 1023) / 1024; }

bool root_known(const ImapSession& session, std::string_view root) {
  return root == session.account().config().login || root == session.account().shared().name;
}

/// What an account uses in octets; with a latitude as somebody was told it a moment before. MESSAGE is exact (RFC 9208
/// section 5.2).
struct Usage {
  std::uint64_t octets = 0;
  std::optional<Time> at;
};

std::uint64_t octets_of(ImapSession& session) {
  constexpr Duration kCached = std::chrono::seconds(3);
  AccountState& account = session.account();
  Usage& told = account.extras.get<Usage>();
  const bool cached = session.context().has(latitude("imap.quota-cached"));
  if (!cached || !told.at || session.now() - *told.at >= kCached) told = {account.usage(), session.now()};
  return told.octets;
}

std::uint64_t messages_of(const ImapSession& session) {
  const AccountState& account = session.account();
  const bool stay = session.context().has(defect("quota.messages-not-freed"));
  return account.messages() + (stay ? account.expunged() : 0);
}

void write_quota(ImapSession& session, std::string_view root) {
  const auto& account = session.account();
  const SharedLimit& shared = account.shared();
  const bool common = root == shared.name;
  const auto limit = common ? shared.quota : account.quota();
  const auto usage = common ? shared.usage : octets_of(session);
  // What has no limit is not in the list (RFC 9208 section 4.2.1).
  std::string resources;
  if (limit) resources = fmt::format("STORAGE {} {}", storage(usage), *limit / 1024);
  if (!common) resources += fmt::format("{}MESSAGE {} {}", limit ? " " : "", messages_of(session), kMessageQuota);
  session.print("* QUOTA {} ({})\r\n", imap_string(root), resources);
}

void get_quota(ImapSession& session, imap::Cursor& c) {
  c.sp();
  const auto root = c.astring().text();
  if (!c.end()) return session.bad(c);
  if (!root_known(session, root)) return session.no("[NONEXISTENT] No such quota root");
  write_quota(session, root);
  session.ok("Done");
}

void get_quota_root(ImapSession& session, imap::Cursor& c) {
  c.sp();
  const auto name = session.read_mailbox_name(c);
  if (!c.end()) return session.bad(c);
  const auto mailbox = session.existing(name, "[NONEXISTENT]", 'r');
  if (!mailbox) return;
  if (&mailbox->owner() != &session.account()) return session.no("[NOPERM] That is its owner's affair");
  const auto& login = session.account().config().login;
  const auto& shared = session.account().shared();
  session.print("* QUOTAROOT {} {}", session.wire_name(session.name_of(*mailbox)), imap_string(login));
  if (shared.quota) session.print(" {}", imap_string(shared.name));
  session.write("\r\n");
  write_quota(session, login);
  if (shared.quota) write_quota(session, shared.name);
  session.ok("Done");
}

// setquota-list = "(" [setquota-resource *(SP setquota-resource)] ")". Limits are the owner's to set, not a user's.
void set_quota(ImapSession& session, imap::Cursor& c) {
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
  if (!c.end()) return session.bad(c);
  if (!root_known(session, root)) return session.no("[NONEXISTENT] No such quota root");
  session.no("[NOPERM] Limits are not set by users");
}

template <class Measure>
std::string of_deleted(const Mailbox& mailbox, Measure measure) {
  std::uint64_t sum = 0;
  for (const auto& message : mailbox.messages()) sum += message->flags.has(Flag::deleted) ? measure(*message) : 0;
  return std::to_string(sum);
}

std::string deleted(ImapSession&, Mailbox& mailbox) {
  return of_deleted(mailbox, [](const Message&) { return std::uint64_t{1}; });
}

std::string deleted_storage(ImapSession&, Mailbox& mailbox) {
  return of_deleted(mailbox, [](const Message& message) { return message.size(); });
}

}  // namespace

const Extension& quota_extension() {
  static const Extension extension{.capabilities = "QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE QUOTASET",
                                   .absent_with = {latitude("imap.no-quota")},
                                   .commands = {{"GETQUOTA", kLoggedIn, get_quota},
                                                {"GETQUOTAROOT", kLoggedIn, get_quota_root},
                                                {"SETQUOTA", kLoggedIn, set_quota}},
                                   .status_items = {{"DELETED", deleted}, {"DELETED-STORAGE", deleted_storage}}};
  return extension;
}

}  // namespace mailproof::server
