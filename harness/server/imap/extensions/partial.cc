// PARTIAL (RFC 9394): a window of what was found, of SEARCH, SORT and UID FETCH.
#include <algorithm>

#include "server/imap/fetch_items.h"
#include "server/imap/session.h"

namespace mailproof::server {
namespace {

/// Positions from 1 on; negative ones count from the end.
struct Window {
  std::int64_t first = 1;
  std::int64_t last = 1;
};

// partial-range = nz-number ":" nz-number / MINUS nz-number ":" MINUS nz-number
Window read_window(imap::Cursor& c) {
  Window window;
  c.sp();
  const bool from_end = c.accept('-');
  window.first = c.nz_number();
  c.expect(':');
  if (from_end) c.expect('-');
  window.last = c.nz_number();
  if (window.first > window.last) std::swap(window.first, window.last);
  if (from_end) window = {-window.first, -window.last};
  return window;
}

template <class T>
std::vector<T> within(const Window& window, const std::vector<T>& all) {
  const auto size = static_cast<std::int64_t>(all.size());
  const bool from_end = window.first < 0;
  const auto first = from_end ? std::max<std::int64_t>(size + window.last, 0) : window.first - 1;
  const auto end = std::min(from_end ? size + window.first + 1 : window.last, size);
  return first < end ? std::vector<T>(all.begin() + first, all.begin() + end) : std::vector<T>();
}

void read_return(ImapSession&, imap::Cursor& c, SearchRequest& request) {
  request.extras.get<Window>() = read_window(c);
}

void write_return(ImapSession& session, const SearchRequest& request, const SearchResult& found) {
  const auto& window = *request.extras.find<Window>();
  imap::SequenceSet set;
  for (const auto number : within(window, found.numbers)) set.add(number);
  session.print(" PARTIAL ({}:{} {})", window.first, window.last, set.empty() ? "NIL" : set.format());
}

void read_modifier(ImapSession& session, imap::Cursor& c, FetchRequest& request) {
  const auto window = read_window(c);
  if (!session.by_uid()) c.fail("PARTIAL with UID FETCH only");
  request.narrow = [window](const ImapSession&, std::vector<std::size_t>& indexes) {
    indexes = within(window, indexes);
  };
}

}  // namespace

const Extension& partial_extension() {
  static const Extension extension{
      .capabilities = "PARTIAL",
      .fetch_modifiers = {{"PARTIAL", read_modifier}},
      .search_returns = {{.name = "PARTIAL", .read = read_return, .write = write_return, .alone = true}}};
  return extension;
}

}  // namespace mailproof::server
