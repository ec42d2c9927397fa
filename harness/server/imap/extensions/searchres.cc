// SEARCHRES (RFC 5182): what a search found, kept as "$".
#include "server/imap/session.h"

namespace mailproof::server {
namespace {

/// By UID, so that an EXPUNGE changes nothing in what is kept.
struct Saved {
  std::vector<Uid> uids;
};

void save(ImapSession& session, const SearchRequest& request, const SearchResult& found) {
  auto& saved = session.own<Saved>().uids;
  saved.clear();
  // Section 2.4: with MIN and MAX alone, these messages.
  const bool of_all = request.all || request.count || !(request.min || request.max);
  for (std::size_t i = 0; i < found.indexes.size(); ++i) {
    const bool wanted = of_all || (request.min && i == 0) || (request.max && i + 1 == found.indexes.size());
    if (wanted) saved.push_back(session.view()->entries()[found.indexes[i]].message->uid);
  }
}

void forget_saved(ImapSession& session) { session.own<Saved>().uids.clear(); }

}  // namespace

const Extension& searchres_extension() {
  static const Extension extension{
      .capabilities = "SEARCHRES",
      .search_returns = {{.name = "SAVE", .write = save, .silent = true, .refused = forget_saved}},
      .deselected = forget_saved,
      .saved_result = [](ImapSession& session) { return session.own<Saved>().uids; }};
  return extension;
}

}  // namespace mailproof::server
