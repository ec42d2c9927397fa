// ACL (RFC 4314). Other users' mailboxes are listed below kOthersPrefix. An owner always keeps l and a, so that he
// cannot lock himself out; identifiers are logins and "anyone"; there are no negative rights.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "server/imap/session.h"

namespace mailproof::server {
namespace {

constexpr std::string_view kRights = "lrswipkxtea";
constexpr std::string_view kOwnersAlways = "la";
constexpr std::string_view kAnyone = "anyone";

/// Of a mailbox: who holds what. The owner is in it only where his rights were set.
struct Acl {
  std::map<std::string, std::string, std::less<>> rights;
};
/// Of an account: one of its mailboxes has had an entry for somebody else.
struct Shares {
  bool any = false;
};

bool holds(std::string_view rights, char right) { return rights.find(right) != std::string_view::npos; }

/// In the order of kRights, each once.
std::string in_order(std::string_view rights) {
  std::string ordered;
  for (const char right : kRights)
    if (holds(rights, right)) ordered += right;
  return ordered;
}

/// With the virtual rights of RFC 2086: c is k and x, d is t and e (section 2.1.1).
std::string shown(std::string_view rights) {
  auto all = in_order(rights);
  if (holds(rights, 'k') || holds(rights, 'x')) all += 'c';
  if (holds(rights, 't') || holds(rights, 'e')) all += 'd';
  return all;
}

std::string rights_of(const Mailbox& mailbox, std::string_view login) {
  const auto* acl = mailbox.extras().find<Acl>();
  const bool owner = login == mailbox.owner().config().login;
  std::string rights;
  const auto add = [&](std::string_view identifier) {
    if (acl == nullptr) return false;
    const auto at = acl->rights.find(identifier);
    if (at != acl->rights.end()) rights += at->second;
    return at != acl->rights.end();
  };
  const bool set = add(login);
  if (owner) rights += set ? kOwnersAlways : kRights;
  add(kAnyone);
  return in_order(rights);
}

bool permits(const ImapSession& session, const Mailbox& mailbox, char right) {
  const bool owner = &mailbox.owner() == &session.account();
  if (mailbox.extras().find<Acl>() == nullptr) return owner;
  return holds(rights_of(mailbox, session.account().config().login), right);
}

bool shares(const AccountState& account) { return account.extras.find<Shares>() != nullptr; }

/// The mailbox of a command that needs the right to administer it. Null: it was answered.
std::shared_ptr<Mailbox> administered(ImapSession& session, std::string_view name) {
  return session.existing(name, "[NONEXISTENT]", 'a');
}

/// A login as the store spells it, or "anyone"; empty: nobody.
std::string identifier(ImapSession& session, std::string_view given) {
  if (iequals(given, kAnyone)) return std::string(kAnyone);
  const auto* account = session.context().store.by_login(given);
  return account != nullptr ? account->config().login : std::string();
}

// mod-rights = astring ; +rights to add, -rights to remove, rights to replace
void set_acl(ImapSession& session, imap::Cursor& c) {
  c.sp();
  const auto name = session.read_mailbox_name(c);
  c.sp();
  const auto given = c.astring().text();
  c.sp();
  const auto modification = c.astring().text();
  if (!c.end()) return session.bad(c);
  const char how = modification.starts_with('+') || modification.starts_with('-') ? modification.front() : '=';
  std::string rights;
  for (const char right : std::string_view(modification).substr(how == '=' ? 0 : 1)) {
    if (right == 'c') {
      rights += "kx";
    } else if (right == 'd') {
      rights += "te";
    } else if (holds(kRights, right)) {
      rights += right;
    } else {
      return session.bad("There is no such right");
    }
  }
  const auto mailbox = administered(session, name);
  if (!mailbox) return;
  if (given.starts_with('-')) return session.no("[CANNOT] There are no negative rights here");
  const auto who = identifier(session, given);
  if (who.empty()) return session.no("[NONEXISTENT] No such user");
  const bool owner = who == mailbox->owner().config().login;
  auto& all = mailbox->extras().get<Acl>().rights;
  const auto at = all.find(who);
  std::string kept = how == '=' ? std::string() : at != all.end() ? at->second : owner ? std::string(kRights) : "";
  if (how == '-') {
    std::erase_if(kept, [&](char right) { return holds(rights, right); });
  } else {
    kept += rights;
  }
  if (kept.empty() && !owner) {
    all.erase(who);
  } else {
    all[who] = in_order(kept);
  }
  mailbox->owner().extras.get<Shares>().any = true;
  session.ok("Done");
}

void delete_acl(ImapSession& session, imap::Cursor& c) {
  c.sp();
  const auto name = session.read_mailbox_name(c);
  c.sp();
  const auto given = c.astring().text();
  if (!c.end()) return session.bad(c);
  const auto mailbox = administered(session, name);
  if (!mailbox) return;
  mailbox->extras().get<Acl>().rights.erase(identifier(session, given));
  session.ok("Done");
}

// acl-data = "ACL" SP mailbox *(SP identifier SP rights)
void get_acl(ImapSession& session, imap::Cursor& c) {
  c.sp();
  const auto name = session.read_mailbox_name(c);
  if (!c.end()) return session.bad(c);
  const auto mailbox = administered(session, name);
  if (!mailbox) return;
  const auto& owner = mailbox->owner().config().login;
  const auto* acl = mailbox->extras().find<Acl>();
  const bool owner_set = acl != nullptr && acl->rights.contains(owner);
  session.print("* ACL {} {} {}", session.wire_name(session.name_of(*mailbox)), imap_string(owner),
                shown(owner_set ? acl->rights.at(owner) + std::string(kOwnersAlways) : std::string(kRights)));
  if (acl != nullptr) {
    for (const auto& [who, rights] : acl->rights)
      if (who != owner) session.print(" {} {}", imap_string(who), shown(rights));
  }
  session.write("\r\n");
  session.ok("Done");
}

// listrights-data = "LISTRIGHTS" SP mailbox SP identifier SP rights *(SP rights): the first are always granted, each of
// the others can be granted by itself.
void list_rights(ImapSession& session, imap::Cursor& c) {
  c.sp();
  const auto name = session.read_mailbox_name(c);
  c.sp();
  const auto given = c.astring().text();
  if (!c.end()) return session.bad(c);
  const auto mailbox = administered(session, name);
  if (!mailbox) return;
  const auto who = identifier(session, given);
  if (who.empty()) return session.no("[NONEXISTENT] No such user");
  const bool owner = who == mailbox->owner().config().login;
  std::string optional;
  for (const char right : std::string(kRights) + "cd")
    if (!owner || !holds(kOwnersAlways, right)) optional += fmt::format(" {}", right);
  session.print("* LISTRIGHTS {} {} {}{}\r\n", session.wire_name(session.name_of(*mailbox)), imap_string(who),
                owner ? kOwnersAlways : "\"\"", optional);
  session.ok("Done");
}

void my_rights(ImapSession& session, imap::Cursor& c) {
  c.sp();
  const auto name = session.read_mailbox_name(c);
  if (!c.end()) return session.bad(c);
  const auto mailbox = session.existing(name, "[NONEXISTENT]");
  if (!mailbox) return;
  session.print("* MYRIGHTS {} {}\r\n", session.wire_name(session.name_of(*mailbox)),
                shown(rights_of(*mailbox, session.account().config().login)));
  session.ok("Done");
}

}  // namespace

const Extension& acl_extension() {
  static const Extension extension{.capabilities = "ACL RIGHTS=kxte",
                                   .commands = {{"SETACL", kLoggedIn, set_acl},
                                                {"DELETEACL", kLoggedIn, delete_acl},
                                                {"GETACL", kLoggedIn, get_acl},
                                                {"LISTRIGHTS", kLoggedIn, list_rights},
                                                {"MYRIGHTS", kLoggedIn, my_rights}},
                                   .shares = shares,
                                   .permits = permits};
  return extension;
}

}  // namespace mailproof::server
