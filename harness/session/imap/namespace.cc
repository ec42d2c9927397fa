#include <algorithm>
#include <utility>

#include "core/bytes.h"
#include "session/imap/client_impl.h"

namespace mailproof::session {

// RFC 2342: mailboxes of one's own may stand below a prefix, and levels may be separated by another character than "/".
// People see neither: "Archive/2027" is INBOX.Archive.2027 where the server says so. What is not among their own
// mailboxes has a name from the root, "/Public/Board", so that it is not taken for one of theirs.

namespace {

constexpr std::string_view kInbox = "INBOX";
constexpr char kPeoplesSeparator = '/';

bool is_inbox(std::string_view name) { return iequals(name, kInbox); }

}  // namespace

void ImapClient::Impl::namespaces(const imap::Response& r) {
  if (!config.people_names) return;
  bool own = false;
  others_prefixes.clear();
  for (const imap::NamespaceEntry& one : r.namespaces) {
    if (one.of != imap::NamespaceEntry::Class::personal) {
      others_prefixes.push_back(one.prefix.text());
    } else if (!std::exchange(own, true)) {
      namespace_prefix = one.prefix.text();
      if (one.separator != 0) namespace_separator = one.separator;
    }
  }
}

bool ImapClient::Impl::of_others(std::string_view name) const {
  if (!istarts_with(name, namespace_prefix)) return true;
  return std::any_of(others_prefixes.begin(), others_prefixes.end(), [&](std::string_view prefix) {
    if (prefix.size() <= namespace_prefix.size()) return false;  // "user." beside "user.ann."
    // The mailbox above them all bears the prefix without its separator.
    return name.starts_with(prefix) || (name.size() + 1 == prefix.size() && prefix.starts_with(name));
  });
}

std::string_view ImapClient::Impl::wire_name(std::string_view name) const {
  if (is_inbox(name) || name.empty()) return name;
  if (name.front() == kPeoplesSeparator && of_others(name.substr(1))) return name.substr(1);
  if (namespace_prefix.empty() && namespace_separator == kPeoplesSeparator) return name;
  const bool below_inbox = istarts_with(name, kInbox) && name[kInbox.size()] == kPeoplesSeparator;
  thread_local std::string text;
  text.assign(below_inbox ? std::string_view() : std::string_view(namespace_prefix));
  text += name;
  std::replace(text.end() - static_cast<std::ptrdiff_t>(name.size()), text.end(), kPeoplesSeparator,
               namespace_separator);
  return text;
}

std::string ImapClient::Impl::people_name(std::string name) const {
  if (is_inbox(name)) return std::string(kInbox);  // RFC 3501 section 5.1: in any case it is one mailbox
  if (of_others(name)) return kPeoplesSeparator + name;
  name.erase(0, namespace_prefix.size());
  if (namespace_separator != kPeoplesSeparator)
    std::replace(name.begin(), name.end(), namespace_separator, kPeoplesSeparator);
  return name;
}

std::string ImapClient::listed_name(std::string_view mailbox) const {
  return impl_->people_name(std::string(impl_->wire_name(mailbox)));
}

/// Others' names, which begin with a separator, are told as they are on the wire.
char ImapClient::Impl::peoples_separator(char on_the_wire, std::string_view name) const {
  const bool told_as_it_is = name.starts_with(kPeoplesSeparator);
  return on_the_wire == namespace_separator && !told_as_it_is ? kPeoplesSeparator : on_the_wire;
}

}  // namespace mailproof::session
