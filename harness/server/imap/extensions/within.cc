// WITHIN (RFC 5032): SEARCH by age, in seconds.
#include "server/imap/session.h"

namespace mailproof::server {
namespace {

/// What is compared is the moment so many seconds ago; RFC 5032 section 2.
void read_interval(ImapSession& session, imap::Cursor& c, SearchKey& key) {
  c.sp();
  key.number = static_cast<std::uint64_t>(internal_date(session.now()).seconds - std::int64_t{c.nz_number()});
}

template <bool younger>
bool matches_age(const SearchKey& key, const ImapView& view, std::size_t index) {
  const auto target = static_cast<std::int64_t>(key.number);
  const auto arrived = view.entries()[index].message->date.seconds;
  return younger ? arrived >= target : arrived <= target;
}

}  // namespace

const Extension& within_extension() {
  static const Extension extension{
      .capabilities = "WITHIN",
      .search_words = {{"YOUNGER", read_interval, matches_age<true>}, {"OLDER", read_interval, matches_age<false>}}};
  return extension;
}

}  // namespace mailproof::server
