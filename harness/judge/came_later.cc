#include "judge/came_later.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailproof::judge {
namespace {

using history::Event;
using history::Type;
using history::What;

/// Whether the expectation is about what this device did or saw.
bool concerns(const Case& c, const Event& e, std::uint32_t device) {
  if (e.what == What::downloaded) return e.session != 0 && c.history.session(e.session).device == device;
  if (e.what == What::agree) {
    const auto& devices = e.get<history::AgreeFacts>().devices;
    return std::find(devices.begin(), devices.end(), device) != devices.end();
  }
  if (e.what == What::fate) {
    const auto& facts = e.get<history::FateFacts>();
    if (facts.by != 0 || facts.copy_on != 0) return device == facts.by || device == facts.copy_on;
  }
  return e.what == What::count || e.what == What::lose || e.what == What::fate;
}

/// The last of these before an event; 0 = none.
std::uint32_t last_before(const std::vector<std::uint32_t>& events, std::uint32_t event) {
  const auto at = std::lower_bound(events.begin(), events.end(), event);
  return at == events.begin() ? 0 : *std::prev(at);
}

}  // namespace

bool over_smtp(const Case& c, const Event& reply) {
  return reply.session != 0 && c.history.session(reply.session).protocol == Protocol::smtp;
}

bool has_limit(const Case& c, std::uint32_t account) {
  const auto& of = c.history.account(account);
  return of.quota.value_or(0) != 0 || of.customer != 0;
}

bool stopped_between(const Case& c, std::uint32_t from, std::uint32_t to) {
  const auto stops = c.history.about(What::admin);
  return std::any_of(stops.begin(), stops.end(), [&](const Event& e) {
    const std::string& asked = c.invoke(e).code;
    return e.index > from && e.index < to && (asked == "kill" || asked == "restart");
  });
}

bool may_have_lost_its_answer(const Case& c, std::uint32_t answer, std::uint32_t to) {
  const auto stops = c.history.about(What::admin);
  return std::any_of(stops.begin(), stops.end(), [&](const Event& e) {
    const Event& asked = c.invoke(e);
    if (e.index < answer || e.index > to) return false;
    const Duration since = asked.at - c.history.event(answer).at;
    return asked.code == "kill" || (asked.code == "restart" && since < c.history.info.settle);
  });
}

bool may_still_be_tried(const Case& c, std::uint32_t account, std::uint32_t taken) {
  const auto& gives_up = c.history.info.gives_up_after;
  if (!gives_up) return true;
  Time looked_last{};
  for (const Event& e : c.history.about(What::enumerated))
    if (c.by_audit(e) && c.history.account_of(e) == account) looked_last = e.at;
  return looked_last - c.history.event(taken).at < *gives_up;
}

bool perhaps_queued(const Case& c, const history::Cell& cell) {
  const auto attempts = c.ledger.attempts_of(cell.message);
  return std::any_of(attempts.begin(), attempts.end(), [&](const history::Attempt& attempt) {
    return attempt.account == cell.account && attempt.outcome == Type::ok &&
           (attempt.event > cell.first_seen || cell.adds > 1) && over_smtp(c, c.history.event(attempt.event));
  });
}

LateMail::LateMail(const Case& c) : c_(c) {
  for (const Event& e : c.history.where([](history::Kind kind) { return kind.type == Type::ok; })) {
    if (e.session == 0) continue;
    const auto& session = c.history.session(e.session);
    if (session.device == 0) continue;
    if (session.protocol == Protocol::pop3 && e.what == What::connect)
      of_[session.device].pop3_logins.push_back(e.index);
    if (session.protocol == Protocol::imap && e.what != What::logout) of_[session.device].imap.push_back(e.index);
  }
}

/// When a message must have been there for what is expected of it: a POP3 session sees the maildrop of its login (RFC
/// 1939 section 3), and who must agree with others what there was when it last asked. Which of its logins a device was
/// to remove it after nobody says: the first since the message was accepted may be it.
std::uint32_t LateMail::needed_by(const Event& e, std::uint32_t accepted) const {
  const bool newest = e.what == What::agree || e.what == What::downloaded;
  std::uint32_t out = e.index;
  for (const auto& [device, looks] : of_) {
    if (!concerns(c_, e, device)) continue;
    const auto& logins = looks.pop3_logins;
    std::uint32_t login = last_before(logins, e.index);
    if (const auto first = std::upper_bound(logins.begin(), logins.end(), accepted);
        !newest && first != logins.end() && *first < e.index)
      login = *first;
    const std::uint32_t asked = e.what == What::agree ? last_before(looks.imap, e.index) : 0;
    if (const std::uint32_t last = std::max(login, asked); last != 0) out = std::min(out, last);
  }
  return out;
}

std::string LateMail::came_later(const Event& expectation, std::uint32_t message, std::uint32_t account) const {
  std::uint32_t taken = 0;
  for (const auto& attempt : c_.ledger.attempts_of(message)) {
    if (attempt.outcome != Type::ok || (account != 0 && attempt.account != account)) continue;
    if (!over_smtp(c_, c_.history.event(attempt.event))) return {};
    if (taken == 0) taken = attempt.event;
  }
  if (taken == 0) return {};
  const Event* first = nullptr;
  for (const std::uint32_t sight : c_.sights(message)) {
    const Event& e = c_.history.event(sight);
    if (account != 0 && c_.history.account_of(e) != account) continue;
    first = &e;
    break;
  }
  if (first == nullptr)
    return c_.history.info.gives_up_after
               ? std::string()
               : fmt::format("{} was seen by nobody: it may still be queued (RFC 5321 section 4.5.4.1)",
                             c_.name_of(message));
  if (first->index < needed_by(expectation, taken)) return {};
  return fmt::format("{} was first seen at {}: its MTA may have queued it until then (RFC 5321 section 4.5.4.1)",
                     c_.name_of(message), c_.when(*first));
}

}  // namespace mailproof::judge
