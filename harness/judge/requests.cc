#include "judge/requests.h"

#include <algorithm>
#include <map>

#include "core/bytes.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::Type;
using history::What;

struct Pop3Talk {
  std::map<std::uint32_t, std::uint32_t> message;  ///< by number
  std::vector<std::uint32_t> touched;
  std::vector<std::uint32_t> marked;  ///< numbers
  bool quit = false;
};

}  // namespace

std::vector<Request> requests(const Case& c) {
  std::vector<Request> out;
  std::map<std::uint32_t, std::string> selected;
  std::map<std::uint32_t, Pop3Talk> talks;
  for (const Event& e : c.history.events()) {
    if (e.session == 0 || c.by_audit(e)) continue;
    const auto& session = c.history.session(e.session);
    if (session.protocol == Protocol::imap) {
      if ((e.what == What::select || e.what == What::examine) && e.type == Type::ok)
        selected[e.session] = c.invoke(e).mailbox;
      if ((e.what == What::expunge || e.what == What::close || e.what == What::move) && completes(e))
        out.push_back(
            {Request::Kind::imap, e.command, e.index, e.session, session.account, selected[e.session], {}, false});
      continue;
    }
    if (session.protocol != Protocol::pop3) continue;
    Pop3Talk& talk = talks[e.session];
    const std::uint32_t number = c.invoke(e).seq;
    if (e.what == What::message && e.message != 0) {
      talk.message[e.seq] = e.message;
      if (e.code == "full") talk.touched.push_back(e.message);
    } else if (e.what == What::pop_uidl && e.type == Type::obs && !talk.message.contains(e.seq)) {
      talk.message[e.seq] = c.ledger.message_with_uidl(session.account, e.text);
    } else if (e.what == What::dele && (e.type == Type::ok || e.type == Type::info)) {
      talk.marked.push_back(number);
      talk.touched.push_back(c.invoke(e).message != 0 ? c.invoke(e).message : talk.message[number]);
    } else if (e.what == What::rset && e.type == Type::ok) {
      talk.marked.clear();
    } else if (e.what == What::quit && completes(e)) {
      talk.quit = true;
      out.push_back({Request::Kind::quit, e.command, e.index, e.session, session.account, "INBOX", talk.touched,
                     !talk.marked.empty()});
    } else if (e.what == What::end && e.type == Type::obs && !talk.quit) {
      out.push_back({Request::Kind::dropped, e.index, e.index, e.session, session.account, "INBOX", talk.touched,
                     !talk.marked.empty()});
    }
  }
  return out;
}

std::uint32_t last_delivery(const Case& c, const history::Cell& cell) {
  std::uint32_t last = 0;
  const std::string& mailbox = c.ledger.mailbox_name(cell.mailbox);
  for (const Event& e : c.history.events())
    if (e.what == What::append && e.type == Type::ok && c.invoke(e).message == cell.message &&
        c.history.account_of(e) == cell.account && iequals(c.invoke(e).mailbox, mailbox))
      last = e.index;
  if (!iequals(mailbox, "INBOX")) return last;
  for (const auto& attempt : c.ledger.attempts())
    if (attempt.message == cell.message && attempt.account == cell.account && attempt.outcome == Type::ok)
      last = std::max(last, attempt.event);
  return last;
}

namespace {

/// The latest event that proves the message was really there. A session may go on seeing what others removed: a POP3
/// maildrop is as it was at login (RFC 1939 section 4), and an IMAP server may still serve a message whose EXPUNGE it
/// has not told this session yet (RFC 2180 section 4.1). So each session counts once: from its login, or its first
/// sight.
std::uint32_t last_proof(const Case& c, const history::Cell& cell) {
  std::map<std::uint32_t, std::uint32_t> login;
  std::map<std::uint32_t, std::uint32_t> first_sight;
  for (const Event& e : c.history.events()) {
    if (e.session == 0) continue;
    const auto& session = c.history.session(e.session);
    if (e.what == What::connect && e.type == Type::ok) login[e.session] = e.index;
    if (e.what != What::message || e.message != cell.message || session.account != cell.account ||
        !iequals(e.mailbox, c.ledger.mailbox_name(cell.mailbox)))
      continue;
    first_sight.try_emplace(e.session, session.protocol == Protocol::pop3 ? login[e.session] : e.index);
  }
  std::uint32_t last = 0;
  for (const auto& [session, index] : first_sight) last = std::max(last, index);
  return last;
}

/// What a command removes its own session is told of before the command is answered (RFC 3501 section 7.4.1). Told
/// after that, something else removed it.
bool told_later(const Case& c, const Request& request, const history::Cell& cell) {
  std::map<std::uint32_t, std::uint32_t> uidvalidity;  // session -> of the open mailbox
  for (const Event& e : c.history.events()) {
    if (e.session != request.session) continue;
    if ((e.what == What::select || e.what == What::examine) && e.type == Type::ok)
      uidvalidity[e.session] = e.uidvalidity;
    if (e.what != What::expunged || e.uid == 0 || e.index < request.completion) continue;
    const std::string& mailbox = c.ledger.mailbox_name(cell.mailbox);
    if (c.ledger.message_at(cell.account, mailbox, uidvalidity[e.session], e.uid) == cell.message) return true;
  }
  return false;
}

}  // namespace

const Request* gone_with(const Case& c, const std::vector<Request>& all, const history::Cell& cell) {
  if (cell.first_seen == 0) return nullptr;  // it never arrived, so nothing took it away
  const std::uint32_t proof = last_proof(c, cell);
  for (const Request& request : all) {
    if (request.account != cell.account || !iequals(request.mailbox, c.ledger.mailbox_name(cell.mailbox))) continue;
    if (proof > request.completion || cell.added_by > request.completion) continue;
    if (last_delivery(c, cell) > request.completion) continue;  // what came after it, it cannot have taken
    if (cell.first_absent != 0 && cell.first_absent < request.invoke) continue;
    const bool touched =
        std::find(request.touched.begin(), request.touched.end(), cell.message) != request.touched.end();
    if (request.kind == Request::Kind::dropped && !touched) continue;
    if (request.kind == Request::Kind::imap && told_later(c, request, cell)) continue;
    if (request.kind == Request::Kind::quit && !touched && !request.marked) continue;
    return &request;
  }
  return nullptr;
}

int surplus_elsewhere(const Case& c, const history::Cell& cell) {
  int out = 0;
  for (const history::Cell& other : c.ledger.cells()) {
    const bool same = other.message == cell.message && other.account == cell.account;
    if (same && &other != &cell && other.enumerated) out += std::max(0, other.present - other.most());
  }
  return out;
}

bool certainly_missing(const history::Cell& cell) {
  return cell.enumerated && cell.present < cell.least() && cell.misses >= 2;
}

}  // namespace mailproof::judge
