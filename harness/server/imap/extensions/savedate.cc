// SAVEDATE (RFC 8514): when a message came into the mailbox it is in.
#include "server/imap/session.h"
#include "wire/mime/date.h"

namespace mailproof::server {
namespace {

constexpr std::int64_t kDaySeconds = 86400;

void write_savedate(ImapSession& session, std::size_t index, const FetchItem&) {
  const auto saved = session.view()->entries()[index].message->saved;
  session.print("SAVEDATE \"{}\"", mime::format_internal_date(mime::from_unix_seconds(saved.seconds)));
}

void read_day(ImapSession&, imap::Cursor& c, SearchKey& key) {
  c.sp();
  const auto date = mime::parse_search_date(c.astring().text());
  if (!date) c.fail("a date");
  if (date) key.number = static_cast<std::uint64_t>(date->unix_seconds() / kDaySeconds);
}

std::int64_t saved_day(const ImapView& view, std::size_t index) {
  return view.entries()[index].message->saved.seconds / kDaySeconds;
}

bool before(const SearchKey& key, const ImapView& view, std::size_t index) {
  return saved_day(view, index) < static_cast<std::int64_t>(key.number);
}

bool on(const SearchKey& key, const ImapView& view, std::size_t index) {
  return saved_day(view, index) == static_cast<std::int64_t>(key.number);
}

bool since(const SearchKey& key, const ImapView& view, std::size_t index) { return !before(key, view, index); }

bool supported(const SearchKey&, const ImapView&, std::size_t) { return true; }

}  // namespace

const Extension& savedate_extension() {
  static const Extension extension{.capabilities = "SAVEDATE",
                                   .fetch_words = {{"SAVEDATE", nullptr, write_savedate}},
                                   .search_words = {{"SAVEDBEFORE", read_day, before},
                                                    {"SAVEDON", read_day, on},
                                                    {"SAVEDSINCE", read_day, since},
                                                    {"SAVEDATESUPPORTED", nullptr, supported}}};
  return extension;
}

}  // namespace mailproof::server
