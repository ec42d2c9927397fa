// CATENATE (RFC 4469): APPEND of a message that is put together from texts and from parts of messages that are here.
#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "server/imap/fetch_items.h"
#include "server/imap/session.h"
#include "wire/text/words.h"

namespace mailproof::server {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = to_lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// RFC 3986 section 2.1.
std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool encoded =
        text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0;
    out += encoded ? static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])) : text[i];
    if (encoded) i += 2;
  }
  return out;
}

/// Takes ";NAME=value" off the front, behind a slash if there is one.
std::optional<std::string> take_parameter(std::string_view& url, std::string_view name) {
  auto rest = url;
  if (rest.starts_with('/')) rest.remove_prefix(1);
  if (!rest.starts_with(';') || !istarts_with(rest.substr(1), name)) return std::nullopt;
  rest.remove_prefix(1 + name.size());
  if (!rest.starts_with('=')) return std::nullopt;
  rest.remove_prefix(1);
  const auto end = std::min(rest.find_first_of("/;"), rest.size());
  auto value = percent_decoded(rest.substr(0, end));
  url = rest.substr(end);
  return value;
}

/// What a URL of this server means (RFC 5092): "/INBOX;UIDVALIDITY=3/;UID=20/;SECTION=1.2", or without a mailbox a
/// message of the selected one. Nothing: no such message or part, or no such URL.
std::optional<std::string> resolved(ImapSession& session, std::string_view url) {
  std::shared_ptr<Mailbox> named;
  const Mailbox* mailbox = session.view() == nullptr ? nullptr : &session.view()->mailbox();
  if (url.starts_with('/') && !url.starts_with("/;")) {
    url.remove_prefix(1);
    const auto end = std::min(url.find(';'), url.size());
    auto name = url.substr(0, end);
    if (name.ends_with('/')) name.remove_suffix(1);
    named = session.account().mailbox(percent_decoded(name));
    mailbox = named.get();
    url.remove_prefix(end);
  }
  const auto validity = take_parameter(url, "UIDVALIDITY");
  const auto uid = text::parse_number<Uid>(take_parameter(url, "UID").value_or(""));
  const auto section_name = take_parameter(url, "SECTION");
  if (mailbox == nullptr || !uid || !url.empty()) return std::nullopt;
  if (validity && text::parse_number<std::uint32_t>(*validity) != mailbox->uid_validity()) return std::nullopt;
  const auto message = mailbox->find(*uid);
  if (!message) return std::nullopt;
  if (!section_name) return *message->content;
  imap::Cursor c(*section_name);
  std::string label;
  const auto section = read_section(c, label);
  if (!c.end()) return std::nullopt;
  const auto structure = mime::parse_structure(*message->content);
  return section_text(section, *message->content, &structure);
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
