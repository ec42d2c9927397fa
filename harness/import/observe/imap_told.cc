// What an IMAP server tells, asked or not: the history's events of it.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/bytes.h"
#include "core/units.h"
#include "import/observe/imap.h"
#include "wire/imap/structure.h"
#include "wire/mime/encoded_words.h"

namespace mailproof::imports {

using history::Event;
using history::Type;
using history::What;

Event ImapObserver::data(What what) const {
  auto e = event(Type::obs, what);
  const auto& view = heard_.view();
  e.mailbox = view.mailbox.empty() ? selecting_ : view.mailbox;
  e.uidvalidity = view.uidvalidity;
  return e;
}

void ImapObserver::on_exists(std::uint32_t n, std::uint32_t before, Time) {
  counted_ = true;
  if (!telling()) return;
  auto e = data(What::exists);
  e.uidvalidity = 0;
  e.facts = history::ExistsFacts{n, before};
  append(std::move(e));
}

void ImapObserver::on_expunge(std::uint32_t seq, std::uint32_t uid, Time) {
  if (!telling()) return;
  auto e = data(What::expunged);
  e.seq = seq;
  e.uid = uid;
  append(std::move(e));
}

void ImapObserver::on_vanished(const imap::SequenceSet& uids, bool earlier, Time) {
  if (!telling()) return;
  imap::SequenceSet set = uids;
  set.normalise();
  auto e = data(What::vanished);
  e.set = set.format();
  e.code = earlier ? "EARLIER" : "";
  append(std::move(e));
}

/// The first of a row that tells which message it is.
void ImapObserver::on_content_begin(std::uint32_t, std::string_view section, std::uint64_t, Time) {
  scanning_ = !scanned_ && (section.empty() || istarts_with(section, "HEADER"));  // not "BINARY": it is decoded
  if (!scanning_) return;
  scanned_ = true;
  scanned_section_ = section;
  scan_.begin();
}

void ImapObserver::on_content(std::string_view chunk) {
  if (scanning_) scan_.add(chunk);
}

void ImapObserver::on_content_end() {
  if (std::exchange(scanning_, false)) scan_.end();
}

std::string ImapObserver::place(std::uint32_t uid) const {
  const auto& view = heard_.view();
  if (uid == 0 || view.uidvalidity == 0) return {};
  return fmt::format("{} imap {} {} {}", account(), view.uidvalidity, uid,
                     view.mailbox.empty() ? selecting_ : view.mailbox);
}

void ImapObserver::content(const session::ImapFetchRow& row) {
  Sight sight;
  if (scanned_) {
    // A piece from the middle (RFC 3501 section 6.4.5) may begin within a message that is attached. The row has the
    // place of its first section alone.
    const bool first = row.section == scanned_section_;
    if (first ? row.origin.value_or(0) != 0 : scanned_section_.empty()) return;
    sight = Sight::of(scan_, scanned_section_.empty() && !row.origin);
    if (!sight.whole && scan_.id_at_end() && (row.origin || !first)) return;
  } else if (!row.envelope.empty()) {
    imap::LogicalLine line;
    line.text = row.envelope;
    const auto envelope = imap::decode_envelope(line, line.text);
    if (!envelope) return;
    sight.envelope = true;
    sight.message_id = envelope->message_id.value_or("");
    sight.subject = mime::decoded_words(envelope->subject.value_or(""));
  }
  if (!sight.whole && sight.message_id.empty()) return;
  if (recording().mail().unsure(sight, place(row.uid))) return;
  auto e = data(What::message);
  e.uid = row.uid;
  e.seq = row.seq;
  e.code = sight.whole ? "full" : "header";
  e.size = scanned_ ? scan_.octets() : 0;
  e.hash = sight.body_hash;
  e.message = recording().mail().number(sight, place(row.uid));
  append(std::move(e));
}

void ImapObserver::on_fetch(const session::ImapFetchRow& row, Time) {
  if (telling()) {
    if (row.flags || row.size || row.modseq || !row.internaldate.empty() || row.uid != 0) {
      auto e = data(What::row);
      e.seq = row.seq;
      e.uid = row.uid;
      e.size = row.size.value_or(0);
      e.facts = history::RowFacts{row.modseq.value_or(0), row.size == 0U};
      e.text = row.internaldate;
      e.has_flags = row.flags.has_value();
      if (row.flags) {
        std::vector<std::string_view> flags(row.flags->begin(), row.flags->end());
        std::sort(flags.begin(), flags.end());
        e.flags = fmt::format("{}", fmt::join(flags, " "));
      }
      append(std::move(e));
    }
    if (row.has_content && row.content_nil) {
      auto e = data(What::nil);
      e.uidvalidity = 0;
      e.uid = row.uid;
      e.seq = row.seq;
      append(std::move(e));
    } else {
      content(row);
    }
  }
  scanned_ = false;
}

void ImapObserver::on_list(const session::ImapListRow& row, Time) {
  if (!begun()) return;
  auto e = event(Type::obs, What::mailbox);
  e.mailbox = row.name;
  e.has_flags = true;
  std::vector<std::string_view> attributes(row.attributes.begin(), row.attributes.end());
  std::sort(attributes.begin(), attributes.end());
  e.flags = fmt::format("{}", fmt::join(attributes, " "));
  append(std::move(e));
}

void ImapObserver::on_search(const imap::SequenceSet& numbers, Time) {
  for (const auto& [first, last] : numbers.ranges()) found_.add(first, last);
}

void ImapObserver::on_quota(std::string_view root, std::string_view resource, std::uint64_t used, std::uint64_t limit,
                            Time) {
  if (!begun()) return;
  const auto octets = [storage = iequals(resource, "STORAGE")](std::uint64_t told) {
    return storage ? octets_of_kib(told) : told;
  };
  auto e = event(Type::obs, What::quota);
  e.text = root;
  e.code = resource;
  e.facts = history::QuotaFacts{octets(used), octets(limit)};
  append(std::move(e));
}

}  // namespace mailproof::imports
