// OBJECTID (RFC 8474). A mailbox is called after the UIDVALIDITY it was made with, which no other has had; a message
// after its octets, so that copies agree; a thread after the oldest message it refers to.
#include <fmt/format.h>

#include "core/hash.h"
#include "server/imap/fetch_items.h"
#include "server/imap/session.h"
#include "server/imap/sort_fields.h"

namespace mailproof::server {
namespace {

std::string mailbox_id(const Mailbox& mailbox) { return fmt::format("F{:08x}", mailbox.uid_validity()); }

std::string digest(char kind, std::string_view text) {
  std::string id(1, kind);
  const auto hash = sha256(text);
  for (std::size_t i = 0; i < 12; ++i) fmt::format_to(std::back_inserter(id), "{:02x}", std::to_integer<int>(hash[i]));
  return id;
}

std::string email_id(const Message& message) { return digest('M', *message.content); }

std::string thread_id(const Message& message) {
  const auto seen = thread_message(message, 0);
  const auto& root = seen.references.empty() ? seen.id : seen.references.front();
  return digest('T', root.empty() ? *message.content : root);
}

void write_email_id(ImapSession& session, std::size_t index, const FetchItem&) {
  session.print("EMAILID ({})", email_id(*session.view()->entries()[index].message));
}

void write_thread_id(ImapSession& session, std::size_t index, const FetchItem&) {
  session.print("THREADID ({})", thread_id(*session.view()->entries()[index].message));
}

void read_id(ImapSession&, imap::Cursor& c, SearchKey& key) {
  c.sp();
  key.text = c.atom();
}

template <std::string (*id)(const Message&)>
bool is(const SearchKey& key, const ImapView& view, std::size_t index) {
  return id(*view.entries()[index].message) == key.text;
}

}  // namespace

const Extension& objectid_extension() {
  static const Extension extension{
      .capabilities = "OBJECTID",
      .fetch_words = {{"EMAILID", nullptr, write_email_id}, {"THREADID", nullptr, write_thread_id}},
      .search_words = {{"EMAILID", read_id, is<email_id>}, {"THREADID", read_id, is<thread_id>}},
      .status_items = {{"MAILBOXID",
                        [](ImapSession&, Mailbox& mailbox) { return fmt::format("({})", mailbox_id(mailbox)); }}},
      .selected =
          [](ImapSession& session) {
            session.print("* OK [MAILBOXID ({})] Its name for ever\r\n", mailbox_id(session.view()->mailbox()));
          },
      .created = [](ImapSession&, Mailbox& mailbox) { return fmt::format("MAILBOXID ({})", mailbox_id(mailbox)); }};
  return extension;
}

}  // namespace mailproof::server
