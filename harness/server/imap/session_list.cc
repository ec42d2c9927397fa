// LIST and LSUB of RFC 3501, and what the extended LIST (extensions/list_extended.cc) has in common with them.
#include <fmt/format.h>

#include <algorithm>

#include "core/hash.h"
#include "server/imap/list.h"
#include "server/imap/mailbox_pattern.h"
#include "server/imap/session.h"
#include "wire/imap/utf7.h"

namespace mailproof::server {
namespace {

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

}  // namespace

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

bool has_children(const std::set<std::string>& names, std::string_view name) {
  const auto prefix = std::string(name) + kHierarchyDelimiter;
  const auto at = names.lower_bound(prefix);
  return at != names.end() && at->starts_with(prefix);
}

// INBOX is INBOX in any case, in a pattern too (RFC 3501 section 6.3.8).
bool ImapSession::listed_by(std::string_view name, std::string_view reference, std::string_view pattern) const {
  const auto wanted = canonical(separated(std::string(reference) + std::string(pattern)));
  if (!utf8_names()) return matches_pattern(name, wanted);
  const auto shown = imap::decode_utf7(name);
  return matches_pattern(shown ? *shown : name, wanted);
}

void ImapSession::write_list(const Listed& listed, bool children, std::string_view attributes,
                             std::string_view extended) {
  std::string all;
  const auto add = [&](std::string_view attribute) {
    if (!all.empty() && !attribute.empty()) all += ' ';
    all += attribute;
  };
  add(attributes);
  add(children ? "\\HasChildren" : "\\HasNoChildren");
  if (listed.mailbox) add(listed.mailbox->special_use());
  const bool merges = context().has(defect("imap.list-merges-ampersand"));
  print("* LIST ({}) \"{}\" {}{}\r\n", all, delimiter(),
        merges ? imap_string(merged_ampersands(listed.name)) : wire_name(listed.name), extended);
}

void ImapSession::cmd_list(imap::Cursor& c) {
  c.sp();
  const auto reference = c.astring().text();
  c.sp();
  const auto pattern = c.list_mailbox().text();
  if (!c.end()) return bad(c);
  if (pattern.empty()) {
    print("* LIST (\\Noselect) \"{}\" \"\"\r\n", delimiter());
    return ok("Done");
  }
  const auto visible = visible_mailboxes();
  std::vector<std::string> mailboxes;
  for (const auto& [name, mailbox] : visible) mailboxes.push_back(name);
  const auto names = with_superiors(mailboxes);
  for (const auto& name : names) {
    if (!listed_by(name, reference, pattern)) continue;
    const auto at = visible.find(name);
    const Listed listed{.name = name, .mailbox = at == visible.end() ? nullptr : at->second};
    write_list(listed, has_children(names, name), listed.mailbox ? "" : "\\Noselect");
  }
  ok("Done");
}

void ImapSession::cmd_lsub(imap::Cursor& c) {
  c.sp();
  const auto reference = c.astring().text();
  c.sp();
  const auto pattern = c.list_mailbox().text();
  if (!c.end()) return bad(c);
  const auto& subscriptions = account_->subscriptions();
  // With "%" a superior of a subscribed name is shown, as \Noselect, though not subscribed itself (RFC 3501
  // section 6.3.9).
  const bool superiors_too = pattern.find('%') != std::string::npos;
  const std::vector<std::string> names(subscriptions.begin(), subscriptions.end());
  for (const auto& name : superiors_too ? with_superiors(names) : std::set<std::string>(names.begin(), names.end())) {
    if (!listed_by(name, reference, pattern)) continue;
    const bool selectable = subscriptions.contains(name) && mailbox(name);
    print("* LSUB ({}) \"{}\" {}\r\n", selectable ? "" : "\\Noselect", delimiter(), wire_name(name));
  }
  ok("Done");
}

}  // namespace mailproof::server
