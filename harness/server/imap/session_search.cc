#include <fmt/format.h>

#include <algorithm>

#include "server/imap/search.h"
#include "server/imap/session.h"

namespace mailproof::server {
namespace {

bool asks_for_unseen(const SearchKey& key) {
  const bool seen = key.children.size() == 1 && key.children.front().kind == SearchKey::Kind::flag &&
                    key.children.front().wanted == Flag::seen;
  return (key.kind == SearchKey::Kind::negated && seen) ||
         std::any_of(key.children.begin(), key.children.end(), asks_for_unseen);
}

}  // namespace

void ImapSession::cmd_search(imap::Cursor& c) {
  const auto request = read_search_request(c);
  if (!c.end()) return bad(c);
  if (request.bad_charset) return no("[BADCHARSET (US-ASCII UTF-8)] Unknown charset");
  if (request.uses_modseq) enable_condstore();
  if (asks_for_unseen(request.key) && context().has(defect("imap.search-unseen-empty"))) {
    write("* SEARCH\r\n* SEARCH\r\n");
    return ok("Done");
  }

  std::vector<std::uint32_t> found;
  Modseq highest = 0;
  Modseq first = 0;
  Modseq last = 0;
  for (std::size_t i = 0; i < view_->size(); ++i) {
    const auto& message = *view_->entries()[i].message;
    if (message.expunged || !matches(request.key, *view_, i)) continue;
    if (found.empty()) first = message.modseq;
    last = message.modseq;
    highest = std::max(highest, message.modseq);
    found.push_back(by_uid_ ? message.uid : static_cast<std::uint32_t>(i + 1));
  }
  const bool with_modseq = request.uses_modseq && !found.empty();

  if (!request.extended) {
    write("* SEARCH");
    for (const auto number : found) print(" {}", number);
    if (with_modseq) print(" (MODSEQ {})", highest);
    write("\r\n");
    return ok("Done");
  }
  // esearch-response = "ESEARCH" [SP "(" "TAG" SP string ")"] [SP "UID"] *(SP search-return-data) (RFC 4731)
  print("* ESEARCH (TAG \"{}\"){}", tag_, by_uid_ ? " UID" : "");
  if (request.min && !found.empty()) print(" MIN {}", found.front());
  if (request.max && !found.empty()) print(" MAX {}", found.back());
  if (request.all && !found.empty()) {
    imap::SequenceSet set;
    for (const auto number : found) set.add(number);
    print(" ALL {}", set.format());
  }
  if (request.count) print(" COUNT {}", found.size());
  // RFC 7162 section 3.1.10: with MIN and MAX alone, of those messages only.
  const bool of_all = request.all || request.count;
  if (with_modseq) {
    print(" MODSEQ {}", of_all ? highest : std::max(request.min ? first : 0, request.max ? last : 0));
  }
  write("\r\n");
  ok("Done");
}

}  // namespace mailproof::server
