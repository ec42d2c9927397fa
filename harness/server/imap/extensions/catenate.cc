// CATENATE (RFC 4469): APPEND of a message that is put together from texts and from parts of messages that are here.
#include <fmt/format.h>

#include "server/imap/imap_url.h"
#include "server/imap/session.h"

namespace mailproof::server {
namespace {

/// What a URL of this server means (RFC 5092), or without a mailbox a message of the selected one. Nothing: no such
/// message or part, or no such URL.
std::optional<std::string> resolved(ImapSession& session, std::string_view url) {
  const auto path = read_imap_url_path(url);
  if (!path || !path->rest.empty()) return std::nullopt;
  const auto named = path->mailbox.empty() ? nullptr : session.account().mailbox(session.canonical(path->mailbox));
  const Mailbox* mailbox = named.get();
  if (path->mailbox.empty() && session.view() != nullptr) mailbox = &session.view()->mailbox();
  return mailbox == nullptr ? std::nullopt : url_text(*mailbox, *path);
}

// "CATENATE" SP "(" cat-part *(SP cat-part) ")"; cat-part = "TEXT" SP literal / "URL" SP astring
bool read(ImapSession& session, imap::Cursor& c, std::string& message) {
  std::string missing;
  bool any = false;
  c.sp();
  if (c.open_list()) {
    while (c.next_item()) {
      any = true;
      const bool url = c.accept_word("URL");
      if (!url && !c.accept_word("TEXT")) c.fail("URL or TEXT");
      c.sp();
      const auto text = url ? c.astring() : c.string();
      if (!c.ok()) break;
      const auto words = session.literal_text(text);
      if (!url) {
        message += words;
      } else if (const auto part = resolved(session, words)) {
        message += *part;
      } else if (missing.empty()) {
        missing = words;
      }
    }
  }
  if (!any) c.fail("a part");
  if (!c.ok()) {
    session.bad(c);
    return false;
  }
  if (!missing.empty()) session.no(fmt::format("[BADURL {}] There is no such thing", imap_string(missing)));
  return missing.empty();
}

}  // namespace

const Extension& catenate_extension() {
  static const Extension extension{.capabilities = "CATENATE", .append_data = {{"CATENATE", read}}};
  return extension;
}

}  // namespace mailproof::server
