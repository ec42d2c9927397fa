#include <fmt/format.h>

#include <algorithm>

#include "core/hash.h"
#include "server/imap/mailbox_pattern.h"
#include "server/imap/session.h"
#include "wire/imap/utf7.h"

namespace mailproof::server {
namespace {

/// A name that LIST shows although there may be no mailbox: a superior of one (RFC 3501 section 7.2.2, \Noselect).
std::set<std::string> with_superiors(const std::vector<std::string>& names) {
  std::set<std::string> all(names.begin(), names.end());
  for (const auto& name : names) {
    for (auto at = name.find(kHierarchyDelimiter); at != std::string::npos;
         at = name.find(kHierarchyDelimiter, at + 1)) {
      all.insert(name.substr(0, at));
    }
  }
  return all;
}

/// INBOX is INBOX in any case, in a pattern too (RFC 3501 section 6.3.8).
std::string canonical_pattern(std::string_view reference, std::string_view pattern) {
  return canonical_mailbox_name(std::string(reference) + std::string(pattern));
}

/// As a server writes it that puts the ampersand between two letters that are not ASCII into the base64 of both:
/// "&AOk-&-&AOk-" becomes "&AOkAJgDp-" (RFC 3501 section 5.1.3: "&" is always "&-").
std::string merged_ampersands(std::string_view name) {
  constexpr std::string_view between = "-&-&";
  std::string out(name);
  for (auto at = out.find(between); at != std::string::npos; at = out.find(between, at)) {
    const auto begin = out.rfind('&', at - 1);
    const auto end = out.find('-', at + between.size());
    if (begin == std::string::npos || end == std::string::npos) break;
    const auto octets = [&](std::size_t from, std::size_t to) {
      std::string code = out.substr(from, to - from);
      std::replace(code.begin(), code.end(), ',', '/');
      code.append((4 - code.size() % 4) % 4, '=');
      const auto raw = unbase64(code);
      return raw ? *raw : std::string();
    };
    std::string code = base64(octets(begin + 1, at) + std::string("\0&", 2) + octets(at + 4, end));
    code.resize(code.find_last_not_of('=') + 1);
    std::replace(code.begin(), code.end(), '/', ',');
    out.replace(begin + 1, end - begin - 1, code);
    at = begin;
  }
  return out;
}

std::uint64_t status_value(const Mailbox& mailbox, std::string_view item, bool& known) {
  const auto deleted = [&](auto measure) {
    std::uint64_t sum = 0;
    for (const auto& message : mailbox.messages()) sum += message->flags.has(Flag::deleted) ? measure(*message) : 0;
    return sum;
  };
  known = true;
  if (iequals(item, "MESSAGES")) return mailbox.messages().size();
  if (iequals(item, "UIDNEXT")) return mailbox.uid_next();
  if (iequals(item, "UIDVALIDITY")) return mailbox.uid_validity();
  if (iequals(item, "UNSEEN")) return mailbox.unseen();
  if (iequals(item, "HIGHESTMODSEQ")) return mailbox.highest_modseq();
  if (iequals(item, "SIZE")) return mailbox.octets();
  if (iequals(item, "DELETED")) return deleted([](const Message&) { return std::uint64_t{1}; });
  if (iequals(item, "DELETED-STORAGE")) return deleted([](const Message& message) { return message.size(); });
  if (iequals(item, "RECENT")) {
    std::uint64_t recent = 0;
    for (const auto& message : mailbox.messages()) recent += message->uid >= mailbox.recent_from() ? 1 : 0;
    return recent;
  }
  known = false;
  return 0;
}

}  // namespace

std::shared_ptr<Mailbox> ImapSession::existing(std::string_view name, std::string_view code) {
  auto mailbox = account_->mailbox(name);
  if (!mailbox) no(fmt::format("{} No such mailbox", code));
  return mailbox;
}

void ImapSession::cmd_create(imap::Cursor& c) {
  c.sp();
  auto name = c.astring().text();
  if (!c.end()) return bad(c);
  // A trailing delimiter only announces that inferiors will come (RFC 3501 section 6.3.3).
  if (name.ends_with(kHierarchyDelimiter)) name.pop_back();
  const bool unusable = name.empty() || name.size() > 1000 || name.front() == kHierarchyDelimiter ||
                        name.find("//") != std::string::npos || name.find_first_of("*%\r\n") != std::string::npos ||
                        name.find('\0') != std::string::npos || !imap::decode_utf7(name);
  if (unusable) return no("[CANNOT] No mailbox can have that name");
  if (const auto there = account_->mailbox(name); there && context().has(defect("imap.create-empties"))) {
    context().store.empty(*account_, *there);
    return ok("Created");
  }
  if (!context().store.create(*account_, name)) return no("[ALREADYEXISTS] There is such a mailbox");
  ok("Created");
}

void ImapSession::cmd_delete(imap::Cursor& c) {
  c.sp();
  const auto name = canonical_mailbox_name(c.astring().text());
  if (!c.end()) return bad(c);
  const auto mailbox = account_->mailbox(name);
  if (!mailbox && Store::has_inferiors(*account_, name)) return no("[CANNOT] It has inferiors");
  if (mailbox.get() == &account_->inbox()) return no("[CANNOT] INBOX stays");
  if (!existing(name, "[NONEXISTENT]")) return;
  context().store.remove(*account_, name);
  ok("Deleted");
}

void ImapSession::cmd_rename(imap::Cursor& c) {
  c.sp();
  const auto from = c.astring().text();
  c.sp();
  const auto to = c.astring().text();
  if (!c.end()) return bad(c);
  if (account_->mailbox(to)) return no("[ALREADYEXISTS] There is such a mailbox");
  if (!account_->mailbox(from) && !Store::has_inferiors(*account_, from)) return no("[NONEXISTENT] No such mailbox");
  if (to.empty() || !context().store.rename(*account_, from, to)) return no("[CANNOT] It cannot get that name");
  ok("Renamed");
}

void ImapSession::cmd_subscribe(imap::Cursor& c) {
  c.sp();
  const auto name = canonical_mailbox_name(c.astring().text());
  if (!c.end()) return bad(c);
  if (!existing(name, "[NONEXISTENT]")) return;
  account_->subscriptions().insert(name);
  ok("Subscribed");
}

void ImapSession::cmd_unsubscribe(imap::Cursor& c) {
  c.sp();
  const auto name = canonical_mailbox_name(c.astring().text());
  if (!c.end()) return bad(c);
  account_->subscriptions().erase(name);
  ok("Unsubscribed");
}

void ImapSession::cmd_list(imap::Cursor& c) {
  c.sp();
  const auto reference = c.astring().text();
  c.sp();
  const auto pattern = c.list_mailbox().text();
  if (!c.end()) return bad(c);
  if (pattern.empty()) {
    print("* LIST (\\Noselect) \"{}\" \"\"\r\n", kHierarchyDelimiter);
    return ok("Done");
  }
  const auto wanted = canonical_pattern(reference, pattern);
  std::vector<std::string> names;
  for (const auto& [name, mailbox] : account_->mailboxes()) names.push_back(name);
  for (const auto& name : with_superiors(names)) {
    if (!matches_pattern(name, wanted)) continue;
    const auto mailbox = account_->mailbox(name);
    print("* LIST ({}{}", mailbox ? "" : "\\Noselect ",
          Store::has_inferiors(*account_, name) ? "\\HasChildren" : "\\HasNoChildren");
    if (mailbox && !mailbox->special_use().empty()) print(" {}", mailbox->special_use());
    print(") \"{}\" {}\r\n", kHierarchyDelimiter,
          imap_string(context().has(defect("imap.list-merges-ampersand")) ? merged_ampersands(name) : name));
  }
  ok("Done");
}

void ImapSession::cmd_lsub(imap::Cursor& c) {
  c.sp();
  const auto reference = c.astring().text();
  c.sp();
  const auto pattern = c.list_mailbox().text();
  if (!c.end()) return bad(c);
  const auto wanted = canonical_pattern(reference, pattern);
  const auto& subscriptions = account_->subscriptions();
  // With "%" a superior of a subscribed name is shown, as \Noselect, though not subscribed itself (RFC 3501
  // section 6.3.9).
  const bool superiors_too = pattern.find('%') != std::string::npos;
  const std::vector<std::string> names(subscriptions.begin(), subscriptions.end());
  for (const auto& name : superiors_too ? with_superiors(names) : std::set<std::string>(names.begin(), names.end())) {
    if (!matches_pattern(name, wanted)) continue;
    const bool selectable = subscriptions.contains(name) && account_->mailbox(name);
    print("* LSUB ({}) \"{}\" {}\r\n", selectable ? "" : "\\Noselect", kHierarchyDelimiter, imap_string(name));
  }
  ok("Done");
}

void ImapSession::cmd_namespace(imap::Cursor& c) {
  if (!c.end()) return bad(c);
  print("* NAMESPACE ((\"\" \"{}\")) NIL NIL\r\n", kHierarchyDelimiter);
  ok("Done");
}

void ImapSession::cmd_status(imap::Cursor& c) {
  c.sp();
  const auto name = c.astring().text();
  c.sp();
  std::vector<std::string> items;
  if (c.open_list()) {
    while (c.next_item()) items.push_back(upper(c.atom()));
  }
  if (!c.end()) return bad(c);
  if (items.empty()) return bad("Which items?");
  const auto mailbox = existing(name, "[NONEXISTENT]");
  if (!mailbox) return;
  std::string values;
  for (const auto& item : items) {
    bool known = false;
    auto value = status_value(*mailbox, item, known);
    if (item == "UNSEEN" && context().has(defect("imap.status-drifts"))) value = static_cast<std::uint32_t>(value - 1);
    if (item == "UIDNEXT" && context().has(defect("imap.uidnext-behind"))) --value;
    if (!known) return bad("Unknown status item");
    if (item == "HIGHESTMODSEQ") enable_condstore();
    values += fmt::format("{}{} {}", values.empty() ? "" : " ", item, value);
  }
  print("* STATUS {} ({})\r\n", imap_string(mailbox->name()), values);
  ok("Done");
}

}  // namespace mailproof::server
