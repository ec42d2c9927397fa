// Sightings and complete listings.
#include <algorithm>

#include "history/flags.h"
#include "history/ledger/impl.h"

namespace mailproof::history {

void SessionState::unlist(std::uint32_t copy) {
  if (listed.empty()) return;
  unlisted.emplace_back(copy, listed.size());
  if (unlisted.size() > listed.size() / 2 + 64) settle_listed();
}

void SessionState::settle_listed() {
  if (unlisted.empty()) return;
  NumberMap until;
  for (const auto& [copy, size] : unlisted) until.set(copy, static_cast<std::uint32_t>(size));
  std::size_t kept = 0;
  for (std::size_t i = 0; i < listed.size(); ++i)
    if (until.get(listed[i]) <= i) listed[kept++] = listed[i];
  listed.resize(kept);
  unlisted.clear();
}

bool SessionState::has_marked(std::uint32_t message) const {
  const auto is = [&](const auto& row, bool marked) { return marked && row.message == message; };
  return std::any_of(rows.begin(), rows.end(), [&](const PopRow& row) { return is(row, row.marked()); }) ||
         std::any_of(left.begin(), left.end(), [&](const Left& row) { return is(row, row.marked); });
}

std::uint32_t SessionState::asked_for(std::uint32_t number) const {
  if (number != 0 && number <= rows.size()) return rows[number - 1].message;
  const auto at = std::lower_bound(left.begin(), left.end(), number,
                                   [](const Left& row, std::uint32_t wanted) { return row.number < wanted; });
  return at == left.end() || at->number != number ? 0 : at->message;
}

/// A session that is over is told of nothing more, and a load has a great many of them.
void SessionState::end() {
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i].asked) left.push_back({static_cast<std::uint32_t>(i + 1), rows[i].message, rows[i].marked()});
  give_back(rows);
  row_of = NumberMap();
  forget_listed();
}

void Ledger::Impl::imap_content(const Event& e) {
  SessionState& at = session(e.session);
  const std::uint32_t in =
      e.mailbox.empty() ? at.box : box(place(history.session(e.session).account, e.mailbox), e.uidvalidity);
  if (in == 0 || e.uid == 0) return;
  const std::uint32_t number = copy(in, e.uid);
  identify(number, e.message);
  if (in == at.box) at.listed.push_back(number);
  seen(e.message, boxes[in - 1].place, e);
}

void Ledger::Impl::row(const Event& e) {
  SessionState& at = session(e.session);
  if (at.box == 0 || e.uid == 0) return;
  const std::uint32_t number = copy(at.box, e.uid);
  at.listed.push_back(number);
  // Somebody else's mark, or an earlier session's: enough to explain that the message goes, not to demand it.
  if (e.has_flags && has_deleted(e.flags)) mark(number, e.index, false);
  if (const std::uint32_t message = copies[number - 1].message) seen(message, boxes[at.box - 1].place, e);
}

void Ledger::Impl::enumerated(const Event& e) {
  SessionState& at = session(e.session);
  const bool pop = history.session(e.session).protocol == Protocol::pop3;
  std::vector<std::uint32_t> messages;
  std::size_t unknown = 0, told = 0;
  if (pop) {
    if (at.box == 0) at.box = maildrop(history.session(e.session).account);
    for (const PopRow& row : at.rows) {
      if (!row.listed) continue;
      ++told;
      if (row.message != 0)
        messages.push_back(row.message);
      else if (!row.identified)
        ++unknown;
    }
  } else {
    if (at.box == 0) return;
    at.settle_listed();
    std::sort(at.listed.begin(), at.listed.end());
    at.listed.erase(std::unique(at.listed.begin(), at.listed.end()), at.listed.end());
    for (const std::uint32_t number : at.listed) {
      const Copy& here = copies[number - 1];
      ++told;
      if (here.message != 0)
        messages.push_back(here.message);
      else if (!here.identified)
        ++unknown;
    }
  }
  const bool complete = unknown == 0 && told >= e.get<CountFacts>().messages;
  take_listing(e, boxes[at.box - 1].place, std::move(messages), complete, pop);
  at.forget_listed();
}

/// POP3 is listed last: what it removed has been looked for over IMAP in this round.
void Ledger::Impl::compare_views(Cell& inbox, std::uint32_t round) {
  const auto shown = pop3_delete(inbox);
  if (!shown || *shown == history.info.pop3_delete.value_or(Pop3Delete::removes)) {
    inbox.unlike = 0;
  } else if (inbox.unlike == 0 || inbox.unlike_round != static_cast<std::uint8_t>(round)) {
    if (inbox.unlike < 255) ++inbox.unlike;
    inbox.unlike_round = static_cast<std::uint8_t>(round);
  }
}

/// A listing in which some message's content stayed unknown says what is there, but not what is absent.
void Ledger::Impl::take_listing(const Event& e, std::uint32_t place_number, std::vector<std::uint32_t> sorted,
                                bool complete, bool pop) {
  const std::uint32_t round = history.session(e.session).audit_round;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size(); ++i)
    if (i == 0 || sorted[i] != sorted[i - 1]) cell(sorted[i], place_number);  // turned up where nobody put it

  for (const std::uint32_t number : places[place_number - 1].cells) {
    Cell& at = cells[number - 1];
    const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), at.message);
    const auto count = static_cast<std::uint16_t>(last - first);
    if (count == 0 && at.gone_with_audit) continue;
    if (count == 0 && complete && at.first_seen != 0 && at.first_absent == 0) at.first_absent = e.index;
    if (count == 0 && complete && at.removes > 0)
      at.listed_absent = (at.listed_absent | view_of(pop ? Protocol::pop3 : Protocol::imap)) & kBothViews;
    if (round == 0) continue;  // a device's own view may be behind; only fresh sessions count
    if (!complete && count < at.least()) {
      at.enumerated = at.in_pop = false;
      continue;
    }
    if (pop) {
      at.present_pop = count;
      at.in_pop = true;
      if (at.enumerated && !at.by_pop) {  // IMAP has said what is there
        compare_views(at, round);
        continue;
      }
    }
    at.by_pop = pop;
    at.present = count;
    at.enumerated = true;
    if (count >= at.least()) {
      at.misses = 0;
    } else if (at.misses == 0 || at.round != static_cast<std::uint8_t>(round)) {
      if (at.misses < 255) ++at.misses;
      at.round = static_cast<std::uint8_t>(round);
    }
  }
}

}  // namespace mailproof::history
