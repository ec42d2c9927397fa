#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "server/store/mailbox.h"

namespace mailproof::server {

/// RFC 3986 section 2.1; what is no percent encoding stays as it is.
std::string percent_decoded(std::string_view text);

/// A message, or a part of one, as the path of an IMAP URL names it (RFC 5092 section 6.1):
/// "/INBOX;UIDVALIDITY=3/;UID=20/;SECTION=1.2/;PARTIAL=0.1024".
struct ImapUrlPath {
  std::string mailbox;  ///< empty: the selected one; as the store has names
  std::optional<std::string> validity;
  Uid uid = 0;
  std::optional<std::string> section;
  std::optional<std::pair<std::uint32_t, std::optional<std::uint32_t>>> partial;  ///< offset, and how many octets
  std::string_view rest;                                                          ///< what stands behind it
};

/// Nothing: it names no message.
std::optional<ImapUrlPath> read_imap_url_path(std::string_view path);

/// What it names there. Nothing: no such message or part, or the mailbox has another UIDVALIDITY.
std::optional<std::string> url_text(const Mailbox& mailbox, const ImapUrlPath& path);

}  // namespace mailproof::server
