#include <fmt/format.h>

#include <algorithm>

#include "server/imap/session.h"
#include "wire/imap/utf7.h"

namespace mailproof::server {
namespace {

/// status-att of RFC 3501.
std::string status_value(const Mailbox& mailbox, std::string_view item) {
  if (item == "MESSAGES") return std::to_string(mailbox.messages().size());
  if (item == "UIDNEXT") return std::to_string(mailbox.uid_next());
  if (item == "UIDVALIDITY") return std::to_string(mailbox.uid_validity());
  if (item == "UNSEEN") return std::to_string(mailbox.unseen());
  return std::to_string(std::count_if(mailbox.messages().begin(), mailbox.messages().end(),
                                      [&](const auto& message) { return message->uid >= mailbox.recent_from(); }));
}

}  // namespace

void ImapSession::cmd_create(imap::Cursor& c) {
  c.sp();
  auto name = read_mailbox_name(c);
  if (c.ok() && c.accept(' ') && c.open_list()) {  // create-param (RFC 4466)
    while (c.next_item()) {
      const auto* parameter = extensions_.find(&Extension::create_parameters, c.atom());
      if (parameter == nullptr) return bad("Unknown parameter");
      if (!parameter->read(*this, c)) return;
    }
  }
  if (!c.end()) return bad(c);
  // A trailing delimiter only announces that inferiors will come (RFC 3501 section 6.3.3).
  if (name.ends_with(kHierarchyDelimiter)) name.pop_back();
  const bool unusable = name.empty() || name.size() > 1000 || name.front() == kHierarchyDelimiter ||
                        name.find("//") != std::string::npos || name.find_first_of("*%\r\n") != std::string::npos ||
                        name.find('\0') != std::string::npos || has_slash(name) || !imap::decode_utf7(name);
  if (unusable) return no("[CANNOT] No mailbox can have that name");
  const auto place = locate(name);
  if (!place) return no("[NOPERM] There is no such user");
  if (const auto there = place->owner->mailbox(place->name)) {
    if (!mailbox(name)) return no("[NOPERM] Nothing may be created there");
    if (!context().has(defect("imap.create-empties"))) return no("[ALREADYEXISTS] There is such a mailbox");
    context().store.empty(*place->owner, *there);
    return ok("Created");
  }
  if (!may_create(*place)) return no("[NOPERM] Nothing may be created there");
  const auto made = context().store.create(*place->owner, place->name);
  std::string code;
  for (const auto* extension : extensions_)
    if (extension->created != nullptr && code.empty()) code = extension->created(*this, *made);
  ok(code.empty() ? "Created" : fmt::format("[{}] Created", code));
}

// RFC 4314 section 4: the right k of the nearest superior; without one only the owner may.
bool ImapSession::may_create(const Place& place) const {
  for (auto at = place.name.rfind(kHierarchyDelimiter); at != std::string::npos && at > 0;
       at = place.name.rfind(kHierarchyDelimiter, at - 1))
    if (const auto superior = place.owner->mailbox(place.name.substr(0, at))) return permits(*superior, 'k');
  return place.owner == account_;
}

void ImapSession::cmd_delete(imap::Cursor& c) {
  c.sp();
  const auto name = read_mailbox_name(c);
  if (!c.end()) return bad(c);
  const auto target = mailbox(name);
  if (!target && Store::has_inferiors(*account_, name)) return no("[CANNOT] It has inferiors");
  if (!existing(name, "[NONEXISTENT]", 'x')) return;
  if (target.get() == &target->owner().inbox()) return no("[CANNOT] INBOX stays");
  context().store.remove(target->owner(), target->name());
  ok("Deleted");
}

void ImapSession::cmd_rename(imap::Cursor& c) {
  c.sp();
  const auto from = read_mailbox_name(c);
  c.sp();
  const auto to = read_mailbox_name(c);
  if (!c.end()) return bad(c);
  const auto source = locate(from);
  const auto target = locate(to);
  if (mailbox(to)) return no("[ALREADYEXISTS] There is such a mailbox");
  if (!mailbox(from) && !(source && source->owner == account_ && Store::has_inferiors(*account_, from)))
    return no("[NONEXISTENT] No such mailbox");
  const auto renamed = mailbox(from);
  if (renamed && !permits(*renamed, 'x')) return no("[NOPERM] It may not be renamed");
  if (!target || source->owner != target->owner || (!target->name.empty() && !may_create(*target)))
    return no("[CANNOT] It cannot go there");
  if (to.empty() || has_slash(to) || !context().store.rename(*source->owner, source->name, target->name))
    return no("[CANNOT] It cannot get that name");
  ok("Renamed");
}

void ImapSession::cmd_subscribe(imap::Cursor& c) {
  c.sp();
  const auto name = read_mailbox_name(c);
  if (!c.end()) return bad(c);
  if (!existing(name, "[NONEXISTENT]")) return;
  context().store.subscribe(*account_, name, true);
  ok("Subscribed");
}

void ImapSession::cmd_unsubscribe(imap::Cursor& c) {
  c.sp();
  const auto name = read_mailbox_name(c);
  if (!c.end()) return bad(c);
  context().store.subscribe(*account_, name, false);
  ok("Unsubscribed");
}

// status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"
void ImapSession::cmd_status(imap::Cursor& c) {
  c.sp();
  const auto name = read_mailbox_name(c);
  c.sp();
  const auto items = read_status_items(c);
  if (!c.end()) return bad(c);
  const auto target = existing(name, "[NONEXISTENT]", 'r');
  if (!target) return;
  write_status(*target, items);
  ok("Done");
}

std::vector<std::string> ImapSession::read_status_items(imap::Cursor& c) {
  std::vector<std::string> items;
  if (c.open_list()) {
    while (c.next_item()) {
      items.push_back(upper(c.atom()));
      const bool known = items.back() == "MESSAGES" || items.back() == "UIDNEXT" || items.back() == "UIDVALIDITY" ||
                         items.back() == "UNSEEN" || items.back() == "RECENT" ||
                         extensions_.find(&Extension::status_items, items.back()) != nullptr;
      if (!known) c.fail("a STATUS item");
    }
  }
  if (items.empty()) c.fail("STATUS items");
  return items;
}

void ImapSession::write_status(Mailbox& target, const std::vector<std::string>& items) {
  std::string values;
  for (const auto& item : items) {
    const auto* extended = extensions_.find(&Extension::status_items, item);
    if (extended == nullptr && item == "UNSEEN" && context().has(defect("imap.status-drifts"))) {
      values += fmt::format("{}UNSEEN {}", values.empty() ? "" : " ", static_cast<std::uint32_t>(target.unseen() - 1));
      continue;
    }
    if (extended == nullptr && item == "UIDNEXT" && context().has(defect("imap.uidnext-behind"))) {
      values += fmt::format("{}UIDNEXT {}", values.empty() ? "" : " ", target.uid_next() - 1);
      continue;
    }
    values += fmt::format("{}{} {}", values.empty() ? "" : " ", item,
                          extended != nullptr ? extended->value(*this, target) : status_value(target, item));
  }
  print("* STATUS {} ({})\r\n", wire_name(name_of(target)), values);
}

}  // namespace mailproof::server
