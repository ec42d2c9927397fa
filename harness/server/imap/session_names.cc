// Names of mailboxes: on the wire and in the store, one's own and those of others (RFC 2342, RFC 4314).
#include <fmt/format.h>

#include <algorithm>

#include "core/utf8.h"
#include "server/imap/session.h"
#include "wire/imap/utf7.h"

namespace mailproof::server {

/// "Yet others coerce names to a particular case", but "treat that text as case-sensitive" that is encoded in modified
/// UTF-7 (RFC 3501 sections 5.1 and 5.1.3).
std::string ImapSession::canonical(std::string_view name) const {
  std::string out = canonical_mailbox_name(name);
  if (!context().has(latitude("imap.names-in-capitals"))) return out;
  if (account_ != nullptr && account_->mailbox(out)) return out;  // what every account has is called as it is
  bool encoded = false;
  for (char& c : out) {
    if (c == '&' || c == '-') encoded = c == '&';
    if (!encoded && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

char ImapSession::delimiter() const {
  return context().has(latitude("imap.dot-separator")) ? '.' : kHierarchyDelimiter;
}

std::string ImapSession::separated(std::string name) const {
  if (delimiter() == kHierarchyDelimiter) return name;
  for (char& c : name) {
    if (c == delimiter())
      c = kHierarchyDelimiter;
    else if (c == kHierarchyDelimiter)
      c = delimiter();
  }
  return name;
}

bool ImapSession::has_slash(std::string_view name) const {
  return delimiter() != kHierarchyDelimiter && name.find(delimiter()) != std::string_view::npos;
}

std::string ImapSession::read_mailbox_name(imap::Cursor& c) {
  auto name = c.astring().text();
  if (utf8_names()) {
    const auto encoded = imap::encode_utf7(name);
    if (!encoded) {
      c.fail("a name in UTF-8");
      return {};
    }
    name = *encoded;
  }
  // What a level without a name is no RFC says; as Cyrus does, it is left out.
  if (delimiter() != kHierarchyDelimiter && name.size() > 1 && name.front() == delimiter()) name.erase(0, 1);
  return canonical(separated(std::move(name)));
}

std::string ImapSession::wire_name(std::string_view stored) const {
  const std::string name = separated(std::string(stored));
  if (!utf8_names()) return imap_string(name);
  const auto decoded = imap::decode_utf7(name);
  return imap_string(decoded ? std::string_view(*decoded) : std::string_view(name), true);
}

std::optional<ImapSession::Place> ImapSession::locate(std::string_view name) const {
  const bool shared =
      std::any_of(extensions_.begin(), extensions_.end(), [](const auto* e) { return e->shares != nullptr; });
  if (!shared || !name.starts_with(kOthersPrefix)) return Place{account_, canonical(name)};
  name.remove_prefix(kOthersPrefix.size());
  const auto slash = name.find(kHierarchyDelimiter);
  for (const auto& other : context().store.accounts())
    if (slash != std::string_view::npos && other.get() != account_ && other->config().login == name.substr(0, slash))
      return Place{other.get(), canonical(name.substr(slash + 1))};
  return std::nullopt;
}

std::string ImapSession::name_of(const Mailbox& mailbox) const {
  if (&mailbox.owner() == account_) return mailbox.name();
  return fmt::format("{}{}{}{}", kOthersPrefix, mailbox.owner().config().login, kHierarchyDelimiter, mailbox.name());
}

bool ImapSession::permits(const Mailbox& mailbox, char right) const {
  bool decided = false;
  for (const auto* extension : extensions_) {
    if (extension->permits == nullptr) continue;
    if (!extension->permits(*this, mailbox, right)) return false;
    decided = true;
  }
  return decided || &mailbox.owner() == account_;
}

// Who holds no right by which he could have heard of it is not told that it is there (RFC 4314 section 6).
std::shared_ptr<Mailbox> ImapSession::mailbox(std::string_view name) const {
  const auto place = locate(name);
  auto found = place ? place->owner->mailbox(place->name) : nullptr;
  if (!found || place->owner == account_) return found;
  constexpr std::string_view all = "lrswipkxtea";
  const bool known = std::any_of(all.begin(), all.end(), [&](char right) { return permits(*found, right); });
  return known ? found : nullptr;
}

std::shared_ptr<Mailbox> ImapSession::existing(std::string_view name, std::string_view code, char right) {
  auto found = mailbox(name);
  if (!found) {
    no(fmt::format("{} No such mailbox", code));
  } else if (right != '\0' && !permits(*found, right)) {
    no("[NOPERM] The right for that is missing");
    return nullptr;
  }
  return found;
}

std::map<std::string, std::shared_ptr<Mailbox>, std::less<>> ImapSession::visible_mailboxes() const {
  std::map<std::string, std::shared_ptr<Mailbox>, std::less<>> visible;
  const auto shares = [&](const AccountState& other) {
    return std::any_of(extensions_.begin(), extensions_.end(),
                       [&](const auto* extension) { return extension->shares != nullptr && extension->shares(other); });
  };
  for (const auto& account : context().store.accounts()) {
    if (account.get() != account_ && !shares(*account)) continue;
    for (const auto& [name, mailbox] : account->mailboxes())
      if (permits(*mailbox, 'l')) visible.emplace(name_of(*mailbox), mailbox);
  }
  return visible;
}

}  // namespace mailproof::server
