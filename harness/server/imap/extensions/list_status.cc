// LIST-STATUS (RFC 5819).
#include "server/imap/list.h"
#include "server/imap/session.h"

namespace mailproof::server {
namespace {

struct Items {
  std::vector<std::string> names;
};

void read(ImapSession& session, imap::Cursor& c, ListRequest& request) {
  c.sp();
  request.asked.get<Items>().names = session.read_status_items(c);
}

void follow(ImapSession& session, const Listed& listed, const ListRequest& request) {
  const auto* items = request.asked.find<Items>();
  if (listed.mailbox && items != nullptr && session.permits(*listed.mailbox, 'r'))
    session.write_status(*listed.mailbox, items->names);
}

}  // namespace

const Extension& list_status_extension() {
  static const Extension extension{.capabilities = "LIST-STATUS",
                                   .list_returns = {{.name = "STATUS", .read = read, .follow = follow}}};
  return extension;
}

}  // namespace mailproof::server
