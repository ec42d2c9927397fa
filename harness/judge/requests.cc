#include "judge/requests.h"

#include <algorithm>
#include <set>

#include "core/bytes.h"
#include "history/flags.h"
#include "judge/came_later.h"

namespace mailproof::judge {
namespace {

using history::Cell;
using history::Event;
using history::Type;
using history::What;

/// Those of one place stand together.
std::uint64_t key_of(std::uint32_t number, std::uint32_t place) { return std::uint64_t{place} << 32U | number; }

}  // namespace

Requests::Requests(const Case& c) : c_(c) {
  for (const Event& e : c.history.about(What::append, What::connect, What::message, What::select, What::examine,
                                        What::expunged, What::expunge, What::close, What::move, What::pop_uidl,
                                        What::dele, What::rset, What::quit, What::end)) {
    if (e.what == What::append && e.type == Type::ok && c.invoke(e).message != 0)
      appended_.set(key_of(c.invoke(e).message, place(c.history.account_of(e), c.invoke(e).mailbox)), e.index);
    if (e.session == 0) continue;
    sight(e);
    const Protocol protocol = c.history.session(e.session).protocol;
    if (protocol == Protocol::imap) imap(e);
    if (protocol == Protocol::pop3 && !c.by_audit(e)) pop3(e);
  }
  std::sort(touches_.begin(), touches_.end());
  touches_.erase(std::unique(touches_.begin(), touches_.end()), touches_.end());
  for (Place& at : places_) {
    at.earliest.resize(at.any.size());
    std::uint32_t earliest = ~std::uint32_t{};
    for (std::size_t i = at.any.size(); i-- > 0;)
      at.earliest[i] = earliest = std::min(earliest, all_[at.any[i]].invoke);
  }
}

std::uint32_t Requests::place(std::uint32_t account, std::string_view mailbox) {
  const auto [at, fresh] =
      place_of_.try_emplace({account, lower(mailbox)}, static_cast<std::uint32_t>(places_.size() + 1));
  if (fresh) places_.emplace_back();
  return at->second;
}

std::uint32_t Requests::find_place(const Cell& cell) const {
  const auto at = place_of_.find({cell.account, lower(c_.ledger.mailbox_name(cell.mailbox))});
  return at == place_of_.end() ? 0 : at->second;
}

/// What proves that a message was really there. A session may go on seeing what others removed: a POP3 maildrop is as
/// it was at login (RFC 1939 section 4), and an IMAP server may still serve a message whose EXPUNGE it has not told
/// this session yet (RFC 2180 section 4.1). So each session counts once: from its login, or its first sight.
void Requests::sight(const Event& e) {
  if (e.what == What::connect && e.type == Type::ok) login_[e.session] = e.index;
  if (e.what != What::message || e.message == 0) return;
  const auto& session = c_.history.session(e.session);
  const std::uint32_t at = place(session.account, e.mailbox);
  std::uint32_t visit = visits_.get(key_of(e.session, at));
  if (visit == 0) visits_.set(key_of(e.session, at), visit = ++visit_);
  if (seen_.get(key_of(e.message, visit)) != 0) return;
  seen_.set(key_of(e.message, visit), 1);
  const std::uint32_t proof = session.protocol == Protocol::pop3 ? login_[e.session] : e.index;
  proof_.set(key_of(e.message, at), std::max(proof_.get(key_of(e.message, at)), proof));
}

void Requests::imap(const Event& e) {
  const bool opened = (e.what == What::select || e.what == What::examine) && e.type == Type::ok;
  if (opened) uidvalidity_[e.session] = e.uidvalidity;
  if (e.what == What::expunged) told_gone_[e.session].push_back({e.index, uidvalidity_[e.session], e.uid});
  if (c_.by_audit(e)) return;
  if (opened) selected_[e.session] = c_.invoke(e).mailbox;
  if ((e.what != What::expunge && e.what != What::close && e.what != What::move) || !completes(e)) return;
  const std::uint32_t account = c_.history.session(e.session).account;
  add({Request::Kind::imap, e.command, e.index, e.session, account, false}, place(account, selected_[e.session]), {});
}

void Requests::pop3(const Event& e) {
  Pop3Talk& talk = talks_[e.session];
  const std::uint32_t account = c_.history.session(e.session).account;
  const Event& asked = c_.invoke(e);
  if (e.what == What::message && e.message != 0) {
    talk.message[e.seq] = e.message;
    if (e.code == "full") talk.touched.push_back(e.message);
  } else if (e.what == What::pop_uidl && e.type == Type::obs && !talk.message.contains(e.seq)) {
    talk.message[e.seq] = c_.ledger.message_with_uidl(account, e.text);
  } else if (e.what == What::dele && (e.type == Type::ok || e.type == Type::info)) {
    talk.marked.push_back(asked.seq);
    talk.touched.push_back(asked.message != 0 ? asked.message : talk.message[asked.seq]);
  } else if (e.what == What::rset && e.type == Type::ok) {
    talk.marked.clear();
  } else if (e.what == What::quit && completes(e)) {
    talk.quit = true;
    add({Request::Kind::quit, e.command, e.index, e.session, account, !talk.marked.empty()}, place(account, "INBOX"),
        talk.touched);
  } else if (e.what == What::end && e.type == Type::obs && !talk.quit) {
    add({Request::Kind::dropped, e.index, e.index, e.session, account, !talk.marked.empty()}, place(account, "INBOX"),
        talk.touched);
  }
}

/// Whatever is there may go with an EXPUNGE, or with a QUIT that removes something. A session that ended without QUIT,
/// or that marked nothing, is to blame only for what it touched.
void Requests::add(Request request, std::uint32_t place_number, const std::vector<std::uint32_t>& touched) {
  const auto number = static_cast<std::uint32_t>(all_.size());
  all_.push_back(request);
  if (request.kind == Request::Kind::imap || (request.kind == Request::Kind::quit && request.marked)) {
    places_[place_number - 1].any.push_back(number);
    return;
  }
  for (const std::uint32_t message : touched) touches_.push_back({key_of(message, place_number), number});
}

std::uint32_t Requests::last_delivery(const Cell& cell) const {
  const std::uint32_t at = find_place(cell);
  std::uint32_t last = at == 0 ? 0 : appended_.get(key_of(cell.message, at));
  if (!iequals(c_.ledger.mailbox_name(cell.mailbox), "INBOX")) return last;
  for (const auto& attempt : c_.ledger.attempts_of(cell.message))
    if (attempt.account == cell.account && attempt.outcome == Type::ok) last = std::max(last, attempt.event);
  return last;
}

/// What a command removes its own session is told of before the command is answered (RFC 3501 section 7.4.1). Told
/// after that, something else removed it.
bool Requests::told_later(const Request& request, const Cell& cell) const {
  const auto [told, fresh] = last_told_.try_emplace({request.session, cell.mailbox});
  const auto all = told_gone_.find(request.session);
  if (fresh && all != told_gone_.end()) {
    const std::string& mailbox = c_.ledger.mailbox_name(cell.mailbox);
    for (const ToldGone& gone : all->second)
      if (const auto message = c_.ledger.message_at(cell.account, mailbox, gone.uidvalidity, gone.uid))
        told->second.set(message, gone.event);
  }
  return told->second.get(cell.message) >= request.completion;
}

/// Its own answer tells what it removed, and not this one: where something else can have taken it, that has. UIDs that
/// the session never learnt leave it open.
bool Requests::told_of_others_only(const Request& request, const Cell& cell) const {
  const What what = c_.history.event(request.invoke).what;
  const auto all = told_gone_.find(request.session);
  if (request.kind != Request::Kind::imap || what == What::close || all == told_gone_.end()) return false;
  const auto behind = [](const ToldGone& gone, std::uint32_t event) { return gone.event <= event; };
  const auto from = std::lower_bound(all->second.begin(), all->second.end(), request.invoke, behind);
  const auto to = std::lower_bound(from, all->second.end(), request.completion, behind);
  const std::string& mailbox = c_.ledger.mailbox_name(cell.mailbox);
  return from != to && std::none_of(from, to, [&](const ToldGone& gone) {
           return gone.uid == 0 ||
                  c_.ledger.message_at(cell.account, mailbox, gone.uidvalidity, gone.uid) == cell.message;
         });
}

const Request* Requests::gone_with(const Cell& cell) const {
  if (cell.first_seen == 0) return nullptr;  // it never arrived, so nothing took it away
  const Request* likely = gone_with(cell, true);
  if (likely == nullptr) likely = gone_with(cell, false);
  // A server that was killed since may have lost it then, with more besides.
  if (likely != nullptr && may_have_lost_its_answer(c_, likely->completion, cell.first_absent)) return nullptr;
  return likely;
}

const Request* Requests::gone_with(const Cell& cell, bool as_told) const {
  const std::uint32_t number = find_place(cell);
  if (number == 0) return nullptr;
  const std::uint64_t key = key_of(cell.message, number);
  // What came after a request, it cannot have taken.
  const std::uint32_t from = std::max({proof_.get(key), cell.added_by, last_delivery(cell)});
  const auto fits = [&](const Request& request) {
    const bool in_time = request.completion >= from && (cell.first_absent == 0 || cell.first_absent >= request.invoke);
    if (!in_time || (as_told && told_of_others_only(request, cell))) return false;
    return request.kind != Request::Kind::imap || !told_later(request, cell);
  };

  const Request* first = nullptr;
  const Place& at = places_[number - 1];
  auto i = static_cast<std::size_t>(
      std::partition_point(at.any.begin(), at.any.end(),
                           [&](std::uint32_t request) { return all_[request].completion < from; }) -
      at.any.begin());
  for (; i < at.any.size() && first == nullptr; ++i) {
    if (cell.first_absent != 0 && at.earliest[i] > cell.first_absent) break;
    if (fits(all_[at.any[i]])) first = &all_[at.any[i]];
  }
  for (auto touch = std::lower_bound(touches_.begin(), touches_.end(), Touch{key, 0});
       touch != touches_.end() && touch->key == key; ++touch) {
    const Request& request = all_[touch->request];
    if (!fits(request)) continue;
    if (first == nullptr || request.completion < first->completion) first = &request;
    break;
  }
  return first;
}

int surplus_elsewhere(const Case& c, const Cell& cell) {
  int out = 0;
  for (const Cell& other : c.ledger.cells_of(cell.message))
    if (other.account == cell.account && &other != &cell && other.enumerated)
      out += std::max(0, other.present - other.most());
  return out;
}

Mark marked_as_deleted(const Case& c, const Cell& cell) {
  std::map<std::uint32_t, std::uint32_t> uidvalidity;        // by session
  std::map<std::uint32_t, std::string> selected;             // by session
  std::set<std::pair<std::uint32_t, std::uint32_t>> marked;  // session, UID
  const std::string& mailbox = c.ledger.mailbox_name(cell.mailbox);
  Mark out;
  for (const Event& e : c.history.events()) {
    if (e.session == 0 || c.history.account_of(e) != cell.account) continue;
    if ((e.what == What::select || e.what == What::examine) && e.type == Type::ok) {
      selected[e.session] = c.invoke(e).mailbox;
      uidvalidity[e.session] = e.uidvalidity;
    }
    if (!iequals(selected[e.session], mailbox)) continue;
    const auto is_it = [&](std::uint32_t uid) {
      return c.ledger.message_at(cell.account, mailbox, uidvalidity[e.session], uid) == cell.message;
    };
    if (!c.by_audit(e) && (e.what == What::expunge || e.what == What::close || e.what == What::move)) return {};
    if (e.what == What::store && e.type == Type::ok && !c.by_audit(e)) {
      const Event& asked = c.invoke(e);
      const auto what = history::to_deleted(asked.code, asked.flags);
      if (what == history::ToDeleted::nothing) continue;
      const bool clears = what == history::ToDeleted::clears;
      for (const std::uint32_t uid : history::parse_uids(asked.set)) {
        if (!is_it(uid)) continue;
        out.by = clears ? nullptr : &e;
        if (clears)
          std::erase_if(marked, [&](const auto& one) { return one.second == uid; });
        else
          marked.emplace(e.session, uid);
      }
    }
    if (e.what == What::expunged && marked.contains({e.session, e.uid})) out.told_gone = &e;
  }
  return out;
}

const Event* deleted_flag_at(const Case& c, const Cell& cell, std::uint32_t from, std::uint32_t to) {
  const std::string& mailbox = c.ledger.mailbox_name(cell.mailbox);
  if (cell.added_by != 0)
    if (const Event& added = c.invoke(c.history.event(cell.added_by));
        added.what == What::append && history::has_deleted(added.flags))
      return &added;
  std::set<std::uint32_t> refused;  // commands
  for (const Event& e : c.history.about(What::store))
    if (e.type == Type::fail) refused.insert(e.command);
  std::map<std::uint32_t, std::uint32_t> uidvalidity;  // by session that has the mailbox open
  const Event* mark = nullptr;
  std::uint32_t marked = 0;  // its answer; 0 = it was not answered, or not yet
  for (const Event& e : c.history.about(What::select, What::examine, What::store)) {
    if (e.session == 0 || c.history.account_of(e) != cell.account || e.index > to) continue;
    if (e.what != What::store) {
      if (e.type != Type::ok) continue;
      if (iequals(c.invoke(e).mailbox, mailbox))
        uidvalidity[e.session] = e.uidvalidity;
      else
        uidvalidity.erase(e.session);
      continue;
    }
    const Event& asked = c.invoke(e);
    const auto what = history::to_deleted(asked.code, asked.flags);
    const bool marks = what == history::ToDeleted::sets;
    if (refused.contains(asked.index) || what == history::ToDeleted::nothing || !uidvalidity.contains(e.session))
      continue;
    const auto uids = history::parse_uids(asked.set);
    if (std::none_of(uids.begin(), uids.end(), [&](std::uint32_t uid) {
          return c.ledger.message_at(cell.account, mailbox, uidvalidity[e.session], uid) == cell.message;
        }))
      continue;
    if (marks && e.type == Type::invoke) {
      mark = &e;
      marked = 0;
    } else if (marks && mark == &asked && e.type == Type::ok) {
      marked = e.index;
    } else if (!marks && e.type == Type::ok && e.index < from && marked != 0 && asked.index > marked) {
      mark = nullptr;  // what overlaps may have come first
    }
  }
  return mark;
}

const Requests* RequestsWhenNeeded::operator->() const {
  if (!requests_) requests_.emplace(c_);
  return &*requests_;
}

const Request* RequestsWhenNeeded::quit_that_took_marked(const Cell& cell) const {
  const Request* with = (*this)->gone_with(cell);
  if (with == nullptr || with->kind != Request::Kind::quit) return nullptr;
  return deleted_flag_at(c_, cell, with->invoke, with->completion) == nullptr ? nullptr : with;
}

const Event* gone_when_marked(const Case& c, const Cell& cell) { return marked_as_deleted(c, cell).told_gone; }

bool certainly_missing(const Cell& cell) { return cell.enumerated && cell.present < cell.least() && cell.misses >= 2; }

}  // namespace mailproof::judge
