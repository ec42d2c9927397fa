#include <algorithm>

#include "core/bytes.h"
#include "session/imap/client_impl.h"

namespace mailproof::session {

// RFC 2342: mailboxes of one's own may stand below a prefix, and levels may be separated by another character than "/".
// People see neither: "Archive/2027" is INBOX.Archive.2027 where the server says so.

namespace {

constexpr std::string_view kInbox = "INBOX";
constexpr char kPeoplesSeparator = '/';

bool is_inbox(std::string_view name) { return iequals(name, kInbox); }

}  // namespace

void ImapClient::Impl::namespaces(const imap::Response& r) {
  if (!config.people_names) return;
  for (const imap::NamespaceEntry& one : r.namespaces) {
    if (one.of != imap::NamespaceEntry::Class::personal) continue;
    namespace_prefix = one.prefix.text();
    if (one.separator != 0) namespace_separator = one.separator;
    return;
  }
}

std::string_view ImapClient::Impl::wire_name(std::string_view name) {
  if (namespace_prefix.empty() && namespace_separator == kPeoplesSeparator) return name;
  if (is_inbox(name) || name.empty()) return name;
  const bool below_inbox = istarts_with(name, kInbox) && name[kInbox.size()] == kPeoplesSeparator;
  thread_local std::string text;
  text.assign(below_inbox ? std::string_view() : std::string_view(namespace_prefix));
  text += name;
  std::replace(text.end() - static_cast<std::ptrdiff_t>(name.size()), text.end(), kPeoplesSeparator,
               namespace_separator);
  return text;
}

std::string ImapClient::Impl::people_name(std::string name) const {
  if (is_inbox(name)) return name;
  if (!namespace_prefix.empty() && istarts_with(name, namespace_prefix)) name.erase(0, namespace_prefix.size());
  if (namespace_separator != kPeoplesSeparator)
    std::replace(name.begin(), name.end(), namespace_separator, kPeoplesSeparator);
  return name;
}

}  // namespace mailproof::session
