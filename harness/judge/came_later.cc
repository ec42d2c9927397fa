#include "judge/came_later.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace mailproof::judge {
namespace {

using history::Event;
using history::Type;
using history::What;

/// Whether the expectation is about what this session's device did or saw.
bool concerns(const Case& c, const Event& e, const history::SessionInfo& session) {
  if (session.device == 0) return false;
  if (e.what == What::downloaded) return e.session != 0 && c.history.session(e.session).device == session.device;
  if (e.what == What::agree) {
    const auto& devices = e.get<history::AgreeFacts>().devices;
    return std::find(devices.begin(), devices.end(), session.device) != devices.end();
  }
  if (e.what == What::fate) {
    const auto& facts = e.get<history::FateFacts>();
    if (facts.by != 0 || facts.copy_on != 0) return session.device == facts.by || session.device == facts.copy_on;
  }
  return e.what == What::count || e.what == What::lose || e.what == What::fate;
}

/// When a message must have been there for what is expected of it: a POP3 session sees the maildrop of its login (RFC
/// 1939 section 3), and who must agree with others what there was when it last asked.
std::uint32_t needed_by(const Case& c, const Event& e) {
  std::map<std::uint32_t, std::uint32_t> last;  // by device
  for (const Event& other : c.history.events()) {
    if (other.index >= e.index) break;
    if (other.type != Type::ok || other.session == 0) continue;
    const auto& session = c.history.session(other.session);
    const bool login = other.what == What::connect && session.protocol == Protocol::pop3;
    const bool asked = e.what == What::agree && session.protocol == Protocol::imap && other.what != What::logout;
    if ((login || asked) && concerns(c, e, session)) last[session.device] = other.index;
  }
  std::uint32_t out = e.index;
  for (const auto& [device, index] : last) out = std::min(out, index);
  return out;
}

}  // namespace

bool over_smtp(const Case& c, const Event& reply) {
  return reply.session != 0 && c.history.session(reply.session).protocol == Protocol::smtp;
}

bool perhaps_queued(const Case& c, const history::Cell& cell) {
  const auto attempts = c.ledger.attempts_of(cell.message);
  return std::any_of(attempts.begin(), attempts.end(), [&](const history::Attempt& attempt) {
    return attempt.account == cell.account && attempt.outcome == Type::ok &&
           (attempt.event > cell.first_seen || cell.adds > 1) && over_smtp(c, c.history.event(attempt.event));
  });
}

std::string came_later(const Case& c, const Event& expectation, std::uint32_t message, std::uint32_t account) {
  bool taken = false;
  for (const auto& attempt : c.ledger.attempts_of(message)) {
    if (attempt.outcome != Type::ok || (account != 0 && attempt.account != account)) continue;
    if (!over_smtp(c, c.history.event(attempt.event))) return {};
    taken = true;
  }
  if (!taken) return {};
  const Event* first = nullptr;
  for (const std::uint32_t sight : c.sights(message)) {
    const Event& e = c.history.event(sight);
    if (account != 0 && c.history.account_of(e) != account) continue;
    if (first == nullptr || e.index < first->index) first = &e;
  }
  if (first == nullptr)
    return c.history.info.gives_up_after
               ? std::string()
               : fmt::format("{} was seen by nobody: it may still be queued (RFC 5321 section 4.5.4.1)",
                             c.name_of(message));
  if (first->index < needed_by(c, expectation)) return {};
  return fmt::format("{} was first seen at {}: its MTA may have queued it until then (RFC 5321 section 4.5.4.1)",
                     c.name_of(message), c.when(*first));
}

}  // namespace mailproof::judge
