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

SearchResult ImapSession::find(const SearchRequest& request) {
  SearchResult found;
  for (std::size_t i = 0; i < view_->size(); ++i) {
    progress(i, view_->size());
    const auto& message = *view_->entries()[i].message;
    if (message.expunged && !context().has(latitude("imap.ghosts-are-deleted"))) continue;
    if (!matches(request.key, *view_, i)) continue;
    found.highest = std::max(found.highest, message.modseq);
    found.indexes.push_back(i);
  }
  if (request.order) request.order(*view_, found.indexes);
  for (const auto i : found.indexes)
    found.numbers.push_back(by_uid_ ? view_->entries()[i].message->uid : static_cast<std::uint32_t>(i + 1));
  return found;
}

void ImapSession::progress(std::size_t done, std::size_t total) {
  constexpr std::size_t step = 500;
  if (done == 0 || done % step != 0) return;
  for (const auto* extension : extensions_)
    if (extension->progress != nullptr) extension->progress(*this, done, total);
}

void ImapSession::cmd_search(imap::Cursor& c) {
  const auto request = read_search_request(*this, c);
  if (!c.end()) return bad(c);
  if (request.bad_charset) return refuse_charset(*this, request);
  if (request.uses_modseq) enable_condstore();
  if (asks_for_unseen(request.key) && context().has(defect("imap.search-unseen-empty"))) {
    write("* SEARCH\r\n* SEARCH\r\n");
    return ok("Done");
  }
  const auto found = find(request);
  if (request.extended) {
    tell_search(request, found);
    return ok("Done");
  }
  write("* SEARCH");
  for (const auto number : found.numbers) print(" {}", number);
  if (request.uses_modseq && !found.numbers.empty()) print(" (MODSEQ {})", found.highest);
  write("\r\n");
  ok("Done");
}

void ImapSession::search_in(const std::shared_ptr<Mailbox>& mailbox, const SearchRequest& request) {
  const bool here = view_ && &view_->mailbox() == mailbox.get();
  auto selected = std::unique_ptr<ImapView>();
  if (!here)
    selected =
        std::exchange(view_, std::make_unique<ImapView>(*account_, mailbox, true, static_cast<Listener&>(*this)));
  by_uid_ = true;
  const auto found = find(request);
  if (!found.indexes.empty())
    tell_search(request, found,
                fmt::format(" MAILBOX {} UIDVALIDITY {}", imap_string(mailbox->name()), mailbox->uid_validity()));
  if (!here) view_ = std::move(selected);
}

// esearch-response = "ESEARCH" [SP "(" "TAG" SP string ")"] [SP "UID"] *(SP search-return-data) (RFC 4731)
void ImapSession::tell_search(const SearchRequest& request, const SearchResult& found, std::string_view where) {
  const auto& numbers = found.numbers;
  const bool plain = request.min || request.max || request.all || request.count;
  const bool silent = !plain && std::all_of(request.options.begin(), request.options.end(),
                                            [](const auto* option) { return option->silent; });
  if (!silent) print("* ESEARCH (TAG \"{}\"{}){}", tag_, where, by_uid_ ? " UID" : "");
  if (request.min && !numbers.empty()) print(" MIN {}", numbers.front());
  if (request.max && !numbers.empty()) print(" MAX {}", numbers.back());
  if (request.all && !numbers.empty()) {
    imap::SequenceSet set;
    for (const auto number : numbers) set.add(number);
    print(" ALL {}", set.format());
  }
  if (request.count) print(" COUNT {}", numbers.size());
  for (const auto* option : request.options)
    if (option->write != nullptr) option->write(*this, request, found);
  // RFC 7162 section 3.1.10: with MIN and MAX alone, of those messages only.
  if (request.uses_modseq && !numbers.empty() && !silent) {
    const auto modseq = [&](std::size_t index) { return view_->entries()[index].message->modseq; };
    const bool of_all = request.all || request.count || !plain;
    print(" MODSEQ {}", of_all ? found.highest
                               : std::max(request.min ? modseq(found.indexes.front()) : 0,
                                          request.max ? modseq(found.indexes.back()) : 0));
  }
  if (!silent) write("\r\n");
}

}  // namespace mailproof::server
