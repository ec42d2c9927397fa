// MULTISEARCH (RFC 7377): ESEARCH over mailboxes.
#include <algorithm>

#include "server/imap/mailbox_filter.h"
#include "server/imap/session.h"

namespace mailproof::server {
namespace {

struct Sources {
  std::vector<MailboxFilter> filters;
  bool selected = false;
  bool others = false;
};

// "IN" SP "(" source-mbox *(SP source-mbox) ")" [scope-options]
Sources read_sources(const ImapSession& session, imap::Cursor& c) {
  Sources sources;
  if (!c.accept_word("IN")) {
    sources.selected = true;
    return sources;
  }
  c.sp();
  if (c.open_list()) {
    while (c.next_item()) {
      auto filter = read_mailbox_filter(session, c);
      if (filter.kind == MailboxFilter::Kind::selected_delayed) c.fail("selected");
      (filter.selected() ? sources.selected : sources.others) = true;
      sources.filters.push_back(std::move(filter));
    }
  }
  if (!sources.selected && !sources.others) c.fail("a source of mailboxes");
  c.sp();
  return sources;
}

void esearch(ImapSession& session, imap::Cursor& c) {
  c.sp();
  const auto sources = read_sources(session, c);
  auto request = read_search_program(session, c);
  if (!request.extended) request.extended = request.all = true;  // section 2.1
  if (!c.end()) return session.bad(c);
  if (sources.selected && session.view() == nullptr) return session.bad("No mailbox is selected");
  const bool keeps =
      std::any_of(request.options.begin(), request.options.end(), [](const auto* option) { return option->silent; });
  // Sections 2.2: SAVE and UPDATE are of the selected mailbox alone.
  if (keeps && sources.others) return session.bad("SAVE and UPDATE are for the selected mailbox");
  if (request.bad_charset) return refuse_charset(session, request);
  const auto* view = session.view();
  const auto* here = view == nullptr ? nullptr : &view->mailbox();
  // Looked up by name before anything is told: what is told does not change it.
  std::vector<std::shared_ptr<Mailbox>> wanted;
  for (const auto& [name, mailbox] : session.account().mailboxes()) {
    const bool covered =
        std::any_of(sources.filters.begin(), sources.filters.end(),
                    [&, &box = name](const auto& filter) { return filter.covers(session.account(), box); });
    if (covered || (sources.selected && mailbox.get() == here)) wanted.push_back(mailbox);
  }
  for (const auto& mailbox : wanted) session.search_in(mailbox, request);
  session.ok("Done");
}

}  // namespace

const Extension& multisearch_extension() {
  static const Extension extension{.capabilities = "MULTISEARCH", .commands = {{"ESEARCH", kLoggedIn, esearch, false}}};
  return extension;
}

}  // namespace mailproof::server
