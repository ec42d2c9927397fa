// PREVIEW (RFC 8970). LAZY changes nothing: a preview is made at once.
#include "core/bytes.h"
#include "server/imap/fetch_items.h"
#include "server/imap/preview_text.h"
#include "server/imap/session.h"

namespace mailproof::server {
namespace {

// "PREVIEW" [SP "(" preview-mod *(SP preview-mod) ")"]
void read(imap::Cursor& c, FetchItem&) {
  if (!istarts_with(c.rest(), " (LAZY")) return;
  c.sp();
  if (!c.open_list()) return;
  while (c.next_item())
    if (!c.accept_word("LAZY")) c.fail("LAZY");
}

void write_preview(ImapSession& session, std::size_t index, const FetchItem&) {
  session.print("PREVIEW {}", imap_string(preview_text(*session.view()->entries()[index].message->content)));
}

}  // namespace

const Extension& preview_extension() {
  static const Extension extension{.capabilities = "PREVIEW", .fetch_words = {{"PREVIEW", read, write_preview}}};
  return extension;
}

}  // namespace mailproof::server
