#include "history/ledger/ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/bytes.h"
#include "history/ledger/impl.h"

namespace mailproof::history {
namespace {

constexpr std::size_t kMostTouched = 4096;  ///< by one event, for which room is kept
// What there is room for in the bits of a Copy and of an Attempt; replies have three digits.
constexpr std::uint32_t kMostBoxes = 0x7fffffff, kHighestReply = 0xfff;

}  // namespace

/// NO to APPEND has response codes and no status (RFC 3501 section 7.1).
std::string_view enhanced_status(const Event& answer) {
  if (answer.what != What::append) return answer.code;
  return iequals(answer.code, "OVERQUOTA") ? "5.2.2" : "";
}

int Cell::least() const { return bounced ? 0 : std::max(0, adds - removes - maybe_removes); }
int Cell::most() const { return std::max(0, adds + maybe_adds - removes); }
int Cell::kept() const {
  if (pop_removes == 0 || !enumerated || by_pop || !in_pop) return 0;
  return std::max(0, std::min({int{pop_removes}, present - present_pop, present - least()}));
}

Ledger::Ledger(const History& history, std::optional<Pop3Download> assumed)
    : impl_(std::make_unique<Impl>(history, assumed)) {}
Ledger::~Ledger() = default;
Ledger::Ledger(Ledger&&) noexcept = default;
Ledger& Ledger::operator=(Ledger&&) noexcept = default;

void Ledger::apply(const Event& event) { impl_->apply(event); }
const Cells& Ledger::cells() const { return impl_->cells; }
const Attempts& Ledger::attempts() const { return impl_->attempts; }
const std::vector<Report>& Ledger::reports() const { return impl_->reports; }
Chained<Cells> Ledger::cells_of(std::uint32_t message) const { return {impl_->cells, impl_->cells_of, message}; }
Chained<Attempts> Ledger::attempts_of(std::uint32_t message) const {
  return {impl_->attempts, impl_->attempts_of, message};
}
const std::vector<std::uint32_t>& Ledger::touched() const { return impl_->touched; }
const std::string& Ledger::mailbox_name(std::uint16_t mailbox) const { return impl_->mailbox_names.at(mailbox); }

const Cell* Ledger::find(std::uint32_t message, std::uint32_t account, std::string_view mailbox) const {
  const std::uint32_t place = impl_->find_place(account, mailbox);
  const std::uint32_t number = place == 0 ? 0 : impl_->cell_of.get(std::uint64_t{place} << 32U | message);
  return number == 0 ? nullptr : &impl_->cells[number - 1];
}

std::uint32_t Ledger::message_at(std::uint32_t account, std::string_view mailbox, std::uint32_t uidvalidity,
                                 std::uint32_t uid) const {
  const std::uint32_t box = impl_->find_box(account, mailbox, uidvalidity);
  const std::uint32_t number = box == 0 ? 0 : impl_->copy_of.get(std::uint64_t{box} << 32U | uid);
  return number == 0 ? 0 : impl_->copies[number - 1].message;
}

std::uint32_t Ledger::message_with_uidl(std::uint32_t account, std::string_view uidl) const {
  const std::uint32_t known = impl_->uidls.find(uidl);
  const std::uint32_t at = impl_->find_place(account, "INBOX");
  const std::uint32_t box = at == 0 ? 0 : impl_->box_of.get(std::uint64_t{at} << 33U | 1U);
  if (known == 0 || box == 0) return 0;
  const std::uint32_t number = impl_->copy_of.get(std::uint64_t{box} << 32U | known);
  return number == 0 ? 0 : impl_->copies[number - 1].message;
}

std::optional<Pop3Download> Ledger::assumed() const { return impl_->assumed; }

bool Ledger::gone_after_download(const Cell& inbox) const {
  if (inbox.implied == 0 || inbox.maybe_removes == 0 || inbox.gone_with_audit || inbox.removed_by == 0) return false;
  if (impl_->history.event(inbox.removed_by).what != What::quit) return false;  // a client asked for it since
  return !inbox.enumerated || (inbox.in_pop ? inbox.present_pop : inbox.present) <= inbox.least();
}

std::vector<const Cell*> Ledger::missing() const {
  std::vector<const Cell*> out;
  for (const Cell& cell : impl_->cells) {
    const bool disagree = cell.enumerated && !cell.by_pop && cell.in_pop && cell.present != cell.present_pop;
    const bool few = cell.enumerated && cell.present < cell.least();
    // What went may still be shown, and what was moved not yet, by one of several servers that follow each other.
    const bool stays = cell.enumerated && cell.adds > 0 && cell.present - cell.kept() > cell.most();
    if (few || stays || disagree || cell.unlike != 0 || impl_->moved_and_nowhere(cell)) out.push_back(&cell);
  }
  return out;
}

bool Ledger::Impl::moved_and_nowhere(const Cell& from) const {
  if (from.maybe_moves == 0 || !from.enumerated || from.present > 0) return false;
  const Chained<Cells> all{cells, cells_of, from.message};
  return std::none_of(all.begin(), all.end(),
                      [&](const Cell& other) { return other.account == from.account && other.present > 0; });
}

const Cell* Ledger::in_trash(const Cell& inbox) const { return impl_->in_trash(inbox); }
std::optional<Pop3Delete> Ledger::pop3_delete(const Cell& inbox) const { return impl_->pop3_delete(inbox); }

const Cell* Ledger::Impl::in_trash(const Cell& from) const {
  const int removed = std::max<int>(from.pop_removes, from.moved_to == 0 ? from.removes : 0);
  if (removed == 0 || !from.enumerated || from.by_pop || from.present > from.most()) return nullptr;
  for (const Cell& other : Chained<Cells>{cells, cells_of, from.message})
    if (other.account == from.account && &other != &from && other.enumerated && other.present > 0 &&
        other.present <= removed && other.adds + other.maybe_adds == 0)
      return &other;
  return nullptr;
}

std::optional<Pop3Delete> Ledger::Impl::pop3_delete(const Cell& inbox) const {
  if (inbox.pop_removes == 0 || !inbox.enumerated || inbox.by_pop || !inbox.in_pop) return std::nullopt;
  if (inbox.kept() > 0) return Pop3Delete::keeps_for_imap;
  if (in_trash(inbox) != nullptr) return Pop3Delete::to_trash;
  // What IMAP asked for as well IMAP may have taken; what stays in both views was not removed at all.
  const bool gone = inbox.removes > 0 && inbox.removed_over == 2 && inbox.present <= inbox.most();
  return gone ? std::optional(Pop3Delete::removes) : std::nullopt;
}

void Ledger::Impl::apply(const Event& e) {
  const bool asks = e.type == Type::invoke;
  const bool done = e.type == Type::ok || e.type == Type::fail || e.type == Type::info;
  if (touched.capacity() > kMostTouched) give_back(touched);
  touched.clear();
  switch (e.what) {
    case What::deliver:
      if (done) deliver(e);
      break;
    case What::append:
      if (done) append(e);
      break;
    case What::select:
    case What::examine:
    case What::unselect:
      select(e);
      break;
    case What::store:
      store(e);
      break;
    case What::close:
    case What::expunge:
      if (done) expunge(e);
      break;
    case What::copy:
    case What::move:
      if (done) copy_or_move(e);
      if (e.what == What::move && e.session != 0) note_move(e);
      break;
    case What::remove:
      if (done) remove_mailbox(e);
      note_reshaping(e);
      break;
    case What::rename:
      if (done) rename_mailbox(e);
      note_reshaping(e);
      break;
    case What::expunged:
      told_gone(e, e.uid);
      break;
    case What::vanished:
      if (e.code.empty()) for_each_known(e, [&](std::uint32_t uid) { told_gone(e, uid); });
      break;
    case What::row:
      row(e);
      break;
    case What::message:
      if (history.session(e.session).protocol == Protocol::pop3)
        pop_content(e);
      else
        imap_content(e);
      break;
    case What::report:
      report(e);
      break;
    case What::pop_list:
      if (e.type == Type::obs) pop_row(e).listed = true;
      break;
    case What::pop_uidl:
      if (e.type == Type::obs) pop_uidl(e);
      break;
    case What::connect:
      if (e.type == Type::ok && e.session != 0) {
        session(e.session).since = e.index;
        announced(e);
      }
      break;
    case What::dele:
      if (!asks) dele(e);
      break;
    case What::rset:
      if (done) rset(e);
      break;
    case What::quit:
      if (done) quit(e);
      break;
    case What::end:
      if (e.session != 0 && e.session <= sessions.size()) sessions[e.session - 1].end();
      break;
    case What::enumerated:
      enumerated(e);
      break;
    default:
      break;
  }
}

std::uint16_t Ledger::Impl::mailbox_number(std::string_view name) {
  // RFC 3501 section 5.1: INBOX, and only INBOX, is case-insensitive.
  const std::string key(iequals(name, "INBOX") ? std::string_view("INBOX") : name);
  const auto [at, added] = mailbox_numbers.try_emplace(key, static_cast<std::uint16_t>(mailbox_names.size()));
  if (added) mailbox_names.push_back(key);
  return at->second;
}

std::uint32_t Ledger::Impl::find_place(std::uint32_t account, std::string_view mailbox) const {
  // One question comes after the other about the same mailbox; a place that is there stays.
  if (found.place != 0 && found.account == account && found.mailbox == mailbox) return found.place;
  const auto at = mailbox_numbers.find(std::string(iequals(mailbox, "INBOX") ? std::string_view("INBOX") : mailbox));
  if (at == mailbox_numbers.end()) return 0;
  const std::uint32_t place = place_of.get(std::uint64_t{account} << 32U | (at->second + 1U));
  if (place != 0) found = {account, place, std::string(mailbox)};
  return place;
}

std::uint32_t Ledger::Impl::place(std::uint32_t account, std::string_view mailbox) {
  if (const std::uint32_t known = find_place(account, mailbox)) return known;
  const std::uint16_t number = mailbox_number(mailbox);
  const std::uint64_t key = std::uint64_t{account} << 32U | (number + 1U);
  places.push_back({account, number, {}, {}});
  const auto fresh = static_cast<std::uint32_t>(places.size());
  place_of.set(key, fresh);
  return fresh;
}

std::uint16_t Ledger::Impl::mailbox_after(std::uint32_t place_number) const {
  return static_cast<std::uint16_t>(places[place_number - 1].mailbox + 1U);
}

std::uint32_t Ledger::Impl::box(std::uint32_t place_number, std::uint32_t uidvalidity, bool pop) {
  const std::uint64_t key = std::uint64_t{place_number} << 33U | std::uint64_t{uidvalidity} << 1U | (pop ? 1U : 0U);
  if (const std::uint32_t known = box_of.get(key)) return known;
  boxes.push_back({place_number, uidvalidity, pop, {}});
  const auto fresh = static_cast<std::uint32_t>(boxes.size());
  places[place_number - 1].boxes.push_back(fresh);
  box_of.set(key, fresh);
  return fresh;
}

std::uint32_t Ledger::Impl::find_box(std::uint32_t account, std::string_view mailbox, std::uint32_t uidvalidity) const {
  const std::uint32_t at = find_place(account, mailbox);
  return at == 0 ? 0 : box_of.get(std::uint64_t{at} << 33U | std::uint64_t{uidvalidity} << 1U);
}

std::uint32_t Ledger::Impl::copy(std::uint32_t box_number, std::uint32_t uid) {
  const std::uint64_t key = std::uint64_t{box_number} << 32U | uid;
  if (const std::uint32_t known = copy_of.get(key)) return known;
  Copy& fresh = copies.emplace_back();
  fresh.box = box_number & kMostBoxes;
  fresh.uid = uid;
  const auto number = static_cast<std::uint32_t>(copies.size());
  copy_of.set(key, number);
  return number;
}

const Departure& Ledger::Impl::departure(std::uint32_t copy_number) const {
  static const Departure none;
  const std::uint32_t known = copies[copy_number - 1].departure;
  return known == 0 ? none : departures[known - 1];
}

Departure& Ledger::Impl::departing(std::uint32_t copy_number) {
  std::uint32_t& known = copies[copy_number - 1].departure;
  if (known == 0) {
    departures.emplace_back();
    known = static_cast<std::uint32_t>(departures.size());
  }
  return departures[known - 1];
}

Cell& Ledger::Impl::cell(std::uint32_t message, std::uint32_t place_number) {
  const std::uint64_t key = std::uint64_t{place_number} << 32U | message;
  if (const std::uint32_t known = cell_of.get(key)) return touch(known);
  Place& at = places[place_number - 1];
  Cell& fresh = cells.emplace_back();
  fresh.message = message;
  fresh.account = static_cast<std::uint16_t>(at.account);
  fresh.mailbox = at.mailbox;
  const auto number = static_cast<std::uint32_t>(cells.size());
  cell_of.set(key, number);
  at.cells.push_back(number);
  cells_of.add(message);
  return touch(number);
}

Cell& Ledger::Impl::touch(std::uint32_t number) {
  touched.push_back(number - 1);
  return cells[number - 1];
}

void Ledger::Impl::attempt(std::uint32_t message, std::uint32_t account, const Event& answer, std::uint32_t smtp_code) {
  attempts_of.add(message);
  Attempt& made = attempts.emplace_back();
  made.message = message;
  made.event = answer.index;
  made.account = static_cast<std::uint16_t>(account);
  made.smtp_code = std::min(smtp_code, kHighestReply) & kHighestReply;
  made.outcome = answer.type;
}

SessionState& Ledger::Impl::session(std::uint32_t number) {
  if (sessions.size() < number) sessions.resize(number);
  return sessions[number - 1];
}

const Event& Ledger::Impl::invoke_of(const Event& e) const { return history.asked(e); }

void Ledger::Impl::add(std::uint32_t message, std::uint32_t place_number, bool certain, const Event& e) {
  if (message == 0) return;
  const std::uint32_t asked = invoke_of(e).index;
  if (crosses(place_number, asked)) {
    certain = false;
    if (being_renamed(place_number)) crossed.emplace_back(place_number, message);
    const Place& before = places[place_number - 1];
    if (asked < before.reshaped && before.went_to != 0) count_perhaps(message, before.went_to, e);
  }
  Cell& at = cell(message, place_number);
  std::uint16_t& count = certain ? at.adds : at.maybe_adds;
  ++count;
  // A COPY that is OK is no further attempt of another one: both may have made a copy, or found nothing to copy.
  if (!certain && (e.type == Type::info || e.what == What::move)) at.tried_again = true;
  if (at.added_by == 0) at.added_by = e.index;
  at.enumerated = false;
  at.misses = 0;
}

void Ledger::Impl::count_perhaps(std::uint32_t message, std::uint32_t place_number, const Event& e) {
  Cell& at = cell(message, place_number);
  ++at.maybe_adds;
  if (at.added_by == 0) at.added_by = e.index;
  at.enumerated = false;
}

void Ledger::Impl::remove(std::uint32_t copy_number, bool certain, std::uint32_t request, std::uint32_t mark) {
  const Copy& copy = copies[copy_number - 1];
  Departure& gone = departing(copy_number);
  const Departure::Removal before = gone.removal;
  if (before == Departure::certain || (before == Departure::maybe && !certain)) return;
  gone.removal = certain ? Departure::certain : Departure::maybe;
  if (request != 0) gone.request = request;
  if (copy.message == 0) return;  // counted when it is identified

  Box& from = boxes[copy.box - 1];
  Cell& at = cell(copy.message, from.place);
  const unsigned protocol = view_of(from.pop ? Protocol::pop3 : Protocol::imap);
  const bool other_protocol = (at.removed_over & ~protocol) != 0;
  if (before == Departure::none) gone.put = static_cast<std::uint16_t>(at.adds + at.maybe_adds);
  at.removed_over = (at.removed_over | protocol) & kBothViews;
  if (gone.request != 0) at.removed_by = gone.request;
  if (mark != 0) at.marked_by = mark;
  at.enumerated = false;
  at.misses = at.unlike = 0;
  if (from.pop && before == Departure::none && at.pop_removes < 255) ++at.pop_removes;
  if (before == Departure::maybe) {
    if (at.maybe_removes > 0) {
      --at.maybe_removes;
      ++at.removes;
    }
    if (gone.moving && at.maybe_moves > 0) --at.maybe_moves;
    return;
  }
  // UIDs and UIDLs cannot be matched: what both protocols removed may have been one copy or two.
  if (other_protocol) {
    if (from.pop && at.maybe_moves > 0) --at.maybe_moves;  // what a MOVE may have taken, POP3 may have taken before
    if (at.adds + at.maybe_adds > at.removes + at.maybe_removes) ++at.maybe_removes;
    return;
  }
  std::uint16_t& count = certain ? at.removes : at.maybe_removes;
  ++count;
}

void Ledger::Impl::identify(std::uint32_t copy_number, std::uint32_t message) {
  Copy& looked_at = copies[copy_number - 1];
  looked_at.identified = true;
  if (message == 0 || looked_at.message == message) return;
  // One end tells what the other is, which may be an end of the next: how long such a chain is the server says.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> open;  // place in `pending`, the end that is known
  const auto known = [&](std::uint32_t one) {
    be(one, message);
    if (const auto of = pending_of.find(one); of != pending_of.end()) {
      for (auto i = of->second.rbegin(); i != of->second.rend(); ++i) open.emplace_back(*i, one);
      pending_of.erase(of);
    }
  };
  known(copy_number);
  while (!open.empty()) {
    const auto [place, one] = open.back();
    open.pop_back();
    PendingCopy& p = pending[place];
    if (std::exchange(p.settled, true)) continue;
    add(message, p.to, p.certain, history.event(p.event));
    const std::uint32_t other = p.source == one ? p.destination : p.source;
    if (other == 0 || copies[other - 1].message != 0) continue;
    copies[other - 1].identified = true;
    known(other);
  }
}

/// What is known of a copy from now on.
void Ledger::Impl::be(std::uint32_t copy_number, std::uint32_t message) {
  const std::uint32_t before = std::exchange(copies[copy_number - 1].message, message);
  if (copies[copy_number - 1].departure == 0) return;
  Departure& at = departing(copy_number);
  const Departure::Removal removal = before == 0 ? at.removal : Departure::none;
  at.removal = Departure::none;
  if (before != 0) at.marked = 0;
  if (removal != Departure::none) remove(copy_number, removal == Departure::certain, at.request, at.marked);
}

void Ledger::Impl::seen(std::uint32_t message, std::uint32_t place_number, const Event& e) {
  if (message == 0) return;
  if (!refused_into.empty())
    if (const auto of = refused_into.find(std::uint64_t{place_number} << 32U | message); of != refused_into.end())
      for (const std::uint32_t source : of->second) count_refused(source);
  Cell& at = cell(message, place_number);
  if (at.first_seen == 0) at.first_seen = e.index;
  at.last_seen = e.index;
  // Only fresh eyes prove a return: a device that was not told of the removal yet may go on seeing it.
  const SessionInfo& by = history.session(e.session);
  if ((at.listed_absent & view_of(by.protocol)) != 0 && by.device == 0) at.reappeared = true;
  at.first_absent = 0;
}

void Ledger::Impl::deliver(const Event& e) {
  const std::uint32_t message = e.message != 0 ? e.message : invoke_of(e).message;
  if (message == 0 || e.account == 0) return;
  attempt(message, e.account, e, e.get<ReplyFacts>().code);
  if (e.type == Type::fail) return;
  // A report takes back one acceptance; what is accepted since then is owed anew.
  const std::uint32_t inbox = place(e.account, "INBOX");
  Cell& at = cell(message, inbox);
  if (at.bounced && e.type == Type::ok && at.adds > 0) {
    Told& told = told_of[std::uint64_t{message} << 32U | e.account];
    told.settled = told.reports;
    at.bounced = false;
    --at.adds;
  }
  add(message, inbox, e.type == Type::ok, e);
}

void Ledger::Impl::append(const Event& e) {
  const Event& invoke = invoke_of(e);
  if (invoke.message == 0) return;
  const std::uint32_t owner = history.account_of(invoke);
  if (e.type == Type::fail) {  // NO is a permanent refusal: the client is told, and nobody tries again
    attempt(invoke.message, owner, e, 500);
    return;
  }
  const std::uint32_t to = place(owner, invoke.mailbox);
  add(invoke.message, to, e.type == Type::ok, e);
  if (e.uid == 0) return;
  Copy& made = copies[copy(box(to, e.uidvalidity), e.uid) - 1];
  if (made.message == 0) made.message = invoke.message;  // claimed by APPENDUID, not looked at
}

void Ledger::Impl::report(const Event& e) {
  const std::uint32_t owner = e.session == 0 ? 0 : history.session(e.session).account;
  const auto space = e.text.find(' ');
  Report fresh;
  fresh.message = e.message;
  fresh.recipient = e.account;
  fresh.mailbox_owner = owner;
  fresh.mailbox = e.mailbox.empty() ? "INBOX" : e.mailbox;
  fresh.uidvalidity = e.uidvalidity;
  fresh.uid = e.uid;
  if (e.uid == 0) fresh.uidl = uidl_of(e);
  fresh.action = e.text.substr(0, space);
  if (fresh.action.ends_with(':')) fresh.action.pop_back();
  fresh.status = e.code;
  fresh.diagnostic = space == std::string::npos ? std::string() : e.text.substr(space + 1);
  fresh.event = e.index;
  const auto one = fmt::format("{} {} {} {} {} {}:{}{}", owner, fresh.uid, fresh.uidvalidity, fresh.message,
                               fresh.recipient, fresh.uidl.size(), fresh.uidl, fresh.mailbox);
  if (!known_reports.insert(one).second) return;
  reports.push_back(fresh);
  if (e.message == 0 || e.account == 0 || !istarts_with(fresh.action, "failed")) return;
  // The same report may be seen over IMAP and over POP3, and moved about: the place that has most of them counts.
  const auto where = fmt::format("{} {} {} {}:{}", owner, fresh.message, fresh.recipient, fresh.uidvalidity,
                                 fresh.uid == 0 ? "pop3" : fresh.mailbox);
  Told& told = told_of[std::uint64_t{e.message} << 32U | e.account];
  told.reports = std::max(told.reports, ++reports_at[where]);
  if (told.reports > told.settled) cell(e.message, place(e.account, "INBOX")).bounced = true;
}

}  // namespace mailproof::history
