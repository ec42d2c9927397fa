// POP3: message numbers and UIDLs of a session, and what DELE, RSET and QUIT come to (RFC 1939 sections 5 and 6).
#include <fmt/format.h>

#include "history/announced.h"
#include "history/ledger/impl.h"

namespace mailproof::history {
namespace {

/// More messages than any maildrop of a test holds; a server that claims a number beyond it is not believed.
constexpr std::uint32_t kMostRows = 1'000'000;
/// UIDL numbers stay below; copies without a UIDL of their own are numbered from here.
constexpr std::uint32_t kNameless = 0x80000000;

}  // namespace

std::uint32_t Uidls::number(const Event& told) {
  if (newest_ < told_by_.size() && text(newest_ + 1) == told.text) return ++newest_;
  if (const auto known = numbers_.find(std::string_view(told.text)); known != numbers_.end()) return newest_ = *known;
  told_by_.push_back(told.index);
  newest_ = static_cast<std::uint32_t>(told_by_.size());
  numbers_.insert(newest_);
  return newest_;
}

std::uint32_t Uidls::find(std::string_view id) const {
  const auto known = numbers_.find(id);
  return known == numbers_.end() ? 0 : *known;
}

std::uint32_t Ledger::Impl::maildrop(std::uint32_t account) { return box(place(account, "INBOX"), 0, true); }

PopRow& Ledger::Impl::pop_row(const Event& e) {
  SessionState& at = session(e.session);
  const std::uint32_t number = e.seq == 0 || e.seq > kMostRows ? 1 : e.seq;
  if (at.box == 0) at.box = maildrop(history.session(e.session).account);
  if (at.rows.size() < number) at.rows.resize(number);
  return at.rows[number - 1];
}

/// The copy that a line with this UIDL stands for. A UIDL that this session already has for another number, or that
/// belongs to another message, does not tell copies apart (RFC 1939 section 7 is broken then): such a line gets a copy
/// of its own.
std::uint32_t Ledger::Impl::uidl_copy(const Event& e) {
  SessionState& at = session(e.session);
  if (e.text.empty()) return copy(at.box, kNameless + ++nameless);
  std::uint32_t number = copy(at.box, uidls.number(e));
  if (put_again(number, at)) number = next_under_same_uidl(number);
  const std::uint32_t other = at.row_of.get(number);
  if (other != 0 && other != e.seq && at.rows[other - 1].copy == number) return copy(at.box, kNameless + ++nameless);
  at.row_of.set(number, e.seq);
  return number;
}

/// RFC 1939 section 7: a unique-id may be "a hash of the message", so that it comes back with the message.
bool Ledger::Impl::put_again(std::uint32_t copy_number, const SessionState& listing) {
  const Copy& before = copies[copy_number - 1];
  const Departure& gone = departure(copy_number);
  if (gone.removal == Departure::none || before.message == 0 || gone.request > listing.since) return false;
  const Cell& here = cell(before.message, boxes[before.box - 1].place);
  return here.adds + here.maybe_adds > gone.put;
}

std::uint32_t Ledger::Impl::next_under_same_uidl(std::uint32_t before) {
  const Copy known = copies[before - 1];
  copy_of.set(std::uint64_t{known.box} << 32U | known.uid, 0);
  const std::uint32_t number = copy(known.box, known.uid);
  copies[number - 1].message = known.message;
  copies[number - 1].identified = known.identified;
  again.insert(number);
  return number;
}

std::string Ledger::Impl::uidl_of(const Event& e) const {
  if (e.session != 0 && e.session <= sessions.size() && e.seq != 0) {
    const auto& rows = sessions[e.session - 1].rows;
    const std::uint32_t number = e.seq <= rows.size() ? rows[e.seq - 1].copy : 0;
    if (number != 0 && copies[number - 1].uid < kNameless) return uidls.text(copies[number - 1].uid);
  }
  return fmt::format("#{}", e.seq);
}

void Ledger::Impl::pop_uidl(const Event& e) {
  if (e.seq == 0 || e.seq > kMostRows) return;
  PopRow& row = pop_row(e);
  row.listed = true;
  if (row.copy == 0) row.copy = uidl_copy(e);
  if (row.identified) return;
  row.message = copies[row.copy - 1].message;
}

void Ledger::Impl::pop_content(const Event& e) {
  if (e.seq == 0 || e.seq > kMostRows) return;
  PopRow& row = pop_row(e);
  row.listed = row.identified = true;
  row.message = e.message;
  if (row.copy == 0) row.copy = uidl_copy(e);
  const std::uint32_t known = copies[row.copy - 1].message;
  if (known != 0 && e.message != 0 && known != e.message)
    row.copy = copy(session(e.session).box, kNameless + ++nameless);
  if (e.code == "full") row.retrieved = e.index;
  identify(row.copy, e.message);
  seen(e.message, boxes[session(e.session).box - 1].place, e);
}

void Ledger::Impl::dele(const Event& e) {
  const Event& invoke = invoke_of(e);
  if (e.type == Type::fail || invoke.seq == 0 || invoke.seq > kMostRows) return;
  PopRow& row = pop_row(invoke);
  if (row.copy == 0) row.copy = copy(session(e.session).box, kNameless + ++nameless);
  if (row.message == 0 && invoke.message != 0) {
    row.message = invoke.message;
    if (copies[row.copy - 1].message == 0) identify(row.copy, invoke.message);
  }
  row.asked = true;
  row.dele = invoke.index;
  row.dele_ok = e.type == Type::ok;
  row.dele_maybe = e.type != Type::ok;
}

void Ledger::Impl::rset(const Event& e) {
  if (e.type == Type::fail) return;
  for (PopRow& row : session(e.session).rows) {
    row.dele_maybe = e.type == Type::info && (row.dele_ok || row.dele_maybe);
    row.dele_ok = false;
    if (e.type == Type::ok) row.dele = 0;
  }
}

void Ledger::Impl::announced(const Event& e) {
  if (e.code == kExpiresAtOnce) session(e.session).announced = Pop3Download::removes;
  if (e.code == kRetains) session(e.session).announced = Pop3Download::keeps;
}

/// QUIT is what removes (RFC 1939 section 6); after -ERR some, or none, of the marked ones are gone. With them goes,
/// where the site wants that, what was downloaded (section 8): it may, and need not (RFC 2449 section 6.7).
void Ledger::Impl::quit(const Event& e) {
  SessionState& at = session(e.session);
  at.quit = true;
  const auto& declared = history.info.pop3_download;
  const auto policy = declared ? declared : at.announced ? at.announced : assumed;
  const bool once = policy == Pop3Download::removes && e.type != Type::fail && !history.info.recorded;
  bool removes = false;
  for (std::size_t i = 0; i < at.rows.size(); ++i) {
    const PopRow row = at.rows[i];
    if (row.copy == 0) continue;
    if (row.marked()) {
      // Where no unique-id tells one copy from the next, a session with an old snapshot may mean the one that another
      // session removed since (RFC 1939 section 4).
      const bool unnamed = copies[row.copy - 1].uid >= kNameless || again.contains(row.copy);
      const bool mine = !unnamed || row.message == 0 || at.since > boxes[at.box - 1].emptied ||
                        cell(row.message, boxes[at.box - 1].place).pop_removes == 0;
      remove(row.copy, e.type == Type::ok && row.dele_ok && mine, invoke_of(e).index, row.dele);
      removes |= e.type != Type::fail;
    } else if (once && row.retrieved != 0 && row.message != 0) {
      Cell& here = cell(row.message, boxes[at.box - 1].place);
      if (here.most() == 0 || departure(row.copy).removal != Departure::none) continue;  // it was to go before
      const bool listed = here.enumerated;
      remove(row.copy, false, invoke_of(e).index, row.retrieved);
      here.gone_with_audit = listed && history.session(e.session).audit_round != 0;
      if (here.gone_with_audit) here.enumerated = true;
      here.implied = e.type == Type::ok ? 2 : 1;
    }
  }
  if (removes) boxes[at.box - 1].emptied = e.index;
}

}  // namespace mailproof::history
