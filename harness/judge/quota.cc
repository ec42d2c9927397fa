// I36: quota usage is the sum of what is there, and it alone decides what is refused as over quota.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/bytes.h"
#include "core/units.h"
#include "history/no_room.h"
#include "history/usage.h"
#include "judge/additions.h"
#include "judge/came_later.h"
#include "judge/case.h"
#include "judge/excuses.h"
#include "judge/holdings.h"
#include "judge/judges.h"
#include "judge/strangers.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::Type;
using history::What;

/// Servers add trace headers to what they store and count in whole KiB.
constexpr std::uint64_t kTraceHeaders = 1024;

bool says_over_quota(const Event& e) {
  if (e.what != What::deliver) return iequals(e.code, "OVERQUOTA");
  return history::says_over_quota(e.get<history::ReplyFacts>().code, e.code, e.text);
}

/// Accounts that had mail before: it counts, and nobody knows how much.
std::set<std::uint32_t> full_before(const history::History& history) {
  std::set<std::uint32_t> out;
  for (const Event& e : history.about(What::baseline))
    if (e.get<history::CountFacts>().messages > 0) out.insert(history.account_of(e));
  return out;
}

/// The size and account of what was asked to be added, where that is known.
std::uint64_t asked_size(const Case& c, const Event& e) {
  const std::uint32_t message = e.message != 0 ? e.message : c.invoke(e).message;
  return message == 0 ? 0 : c.history.message(message).size;
}

/// The limits that hold now: they change when the admin changes them.
struct Limits {
  std::map<std::uint32_t, std::uint64_t> own, shared;  ///< by account, by customer; 0 = none
  std::uint32_t changed = 0;                           ///< the event that changed any of them last

  explicit Limits(const history::History& history) {
    for (std::uint32_t i = 1; i <= history.info.accounts.size(); ++i) own[i] = history.account(i).quota.value_or(0);
    for (std::uint32_t i = 1; i <= history.info.customers.size(); ++i) shared[i] = history.info.customers[i - 1].quota;
  }
  void apply(const history::History& history, const Event& e) {
    if (e.what != What::admin || e.type != Type::ok) return;
    const Event& asked = history.event(e.command);
    if (asked.code.starts_with("set_")) changed = e.index;
    if (asked.code == "set_quota") own[asked.account] = asked.get<history::LimitFacts>().octets;
    if (asked.code != "set_customer_quota") return;
    for (std::uint32_t i = 1; i <= history.info.customers.size(); ++i)
      if (history.info.customers[i - 1].name == asked.text) shared[i] = asked.get<history::LimitFacts>().octets;
  }
};

/// Without any limit nothing can be decided by one.
bool limited(const history::History& history) {
  const auto& info = history.info;
  return std::any_of(info.accounts.begin(), info.accounts.end(),
                     [](const auto& account) { return account.quota.value_or(0) != 0; }) ||
         std::any_of(info.customers.begin(), info.customers.end(),
                     [](const auto& customer) { return customer.quota != 0; }) ||
         !history.where([](history::Kind kind) { return kind.what == What::admin && kind.type == Type::ok; }).empty();
}

/// What was told after a change, while the scenario was played, and cannot be the sum of what was there then.
struct Meanwhile {
  std::uint32_t told = 0, change = 0;  ///< events
  std::string root, expected;
  std::uint64_t used = 0;
};

/// What an account held for certain and at most, of what somebody had seen by then.
Bounds seen_by(const Case& c, const history::Ledger& so_far, const Sightings& doubled, std::uint32_t account) {
  Bounds out;
  for (const history::Cell& cell : so_far.cells()) {
    if (cell.account != account) continue;
    const std::uint64_t size = c.history.message(cell.message).size;
    const auto twice = doubled.find({cell.message, account, so_far.mailbox_name(cell.mailbox)});
    const int most = std::max(cell.most(), twice == doubled.end() || cell.most() == 0 ? 0 : twice->second.copies);
    if (cell.first_seen != 0) out.least += static_cast<std::uint64_t>(std::max(cell.least(), 0)) * size;
    out.most += static_cast<std::uint64_t>(std::max(most, 0)) * (size + kTraceHeaders);
  }
  return out;
}

bool changes(const Event& e) {
  return e.what == What::deliver || e.what == What::append || e.what == What::copy || e.what == What::move ||
         e.what == What::expunge || e.what == What::close || e.what == What::remove || e.what == What::rename ||
         e.what == What::quit;
}

/// What was told while the scenario was played.
struct ToldMeanwhile {
  std::map<std::uint32_t, Meanwhile> wrong;  ///< by account, the first
  std::set<std::uint32_t> right;             ///< accounts with mail, whose usage was its sum
};

/// What accounts held before they held less. Whether there is room is decided somewhere between the question and the
/// answer: what went meanwhile may have gone too late for it.
class Falls {
 public:
  /// At each event that is of an account with a limit.
  void look(std::uint32_t account, std::uint64_t most, std::uint32_t index) {
    auto& [last, falls] = of_[account];
    if (most < last) falls.emplace_back(index, last);
    last = most;
  }
  std::uint64_t most_since(std::uint32_t account, std::uint32_t index, std::uint64_t now) const {
    const auto of = of_.find(account);
    if (of == of_.end()) return now;
    const auto& falls = of->second.second;
    for (auto fall = falls.rbegin(); fall != falls.rend() && fall->first > index; ++fall)
      now = std::max(now, fall->second);
    return now;
  }

 private:
  std::map<std::uint32_t, std::pair<std::uint64_t, std::vector<std::pair<std::uint32_t, std::uint64_t>>>> of_;
};

/// By account, the first usage that was wrong when it was told. Nothing is said of an account that held mail before, or
/// in which somebody else's came in, nor while anything that may change it is under way.
ToldMeanwhile told_meanwhile(const Case& c) {
  ToldMeanwhile out;
  if (c.history.info.load) return out;
  history::Ledger so_far(c.history, c.ledger.assumed());
  const Sightings doubled = most_at_once(c);
  const auto had_before = full_before(c.history);
  const Strangers strangers(c);
  std::set<std::uint32_t> under_way;                        // commands that change something
  std::map<std::uint32_t, std::uint32_t> newest;            // account -> the newest change
  std::map<std::uint32_t, std::vector<const Event*>> told;  // session -> roots of the answer that is coming
  for (const Event& e : c.history.events()) {
    const std::uint32_t account = e.what == What::deliver ? e.account : c.history.account_of(e);
    if (changes(e)) {
      if (e.type == Type::invoke) under_way.insert(e.index);
      if (e.type != Type::invoke) under_way.erase(e.command);
      if (e.type == Type::ok && account != 0) newest[account] = e.index;
    }
    so_far.apply(e);
    if (e.session == 0 || account == 0 || c.by_audit(e)) continue;
    if (e.what == What::quota && iequals(e.code, "STORAGE")) told[e.session].push_back(&e);
    if (e.what != What::get_quota || e.type == Type::invoke) continue;
    const auto roots = std::exchange(told[e.session], {});
    if (e.type != Type::ok || roots.empty() || !under_way.empty() || out.wrong.contains(account) ||
        newest[account] == 0 || had_before.contains(account) || strangers.in(account) != nullptr ||
        c.history.account(account).customer != 0)
      continue;
    const Bounds b = seen_by(c, so_far, doubled, account);
    const std::uint64_t slack = 2048 + b.most / 50;
    const auto used = [](const Event* root) { return root->get<history::QuotaFacts>().used; };
    if (std::any_of(roots.begin(), roots.end(),
                    [&](const Event* root) { return used(root) <= b.most + slack && used(root) + slack >= b.least; })) {
      if (b.least > slack) out.right.insert(account);
      continue;
    }
    const Event* highest =
        *std::max_element(roots.begin(), roots.end(), [&](auto* one, auto* other) { return used(one) < used(other); });
    out.wrong[account] = {
        highest->index, newest[account], highest->text,
        b.least == b.most ? format_size(b.most) : fmt::format("{} to {}", format_size(b.least), format_size(b.most)),
        used(highest)};
  }
  return out;
}

/// What was told of an account's STORAGE while it held less: by a server that counts more than its messages.
struct ToldAbove {
  std::uint64_t most = 0;
  double for_one = 0;  ///< so much for an octet that was there, where that was no trifle
};

std::map<std::uint32_t, ToldAbove> told_above_the_sum(const Case& c) {
  constexpr std::uint64_t kNoTrifle = 8 * 1024;
  std::map<std::uint32_t, ToldAbove> out;
  history::Ledger so_far(c.history, c.ledger.assumed());
  const Sightings seen = most_at_once(c);
  Holdings holdings(c, so_far, seen);
  for (const Event& e : c.history.events()) {
    so_far.apply(e);
    holdings.follow();
    if (e.what != What::quota || e.session == 0 || !iequals(e.code, "STORAGE")) continue;
    const std::uint32_t account = c.history.account_of(e);
    const std::uint64_t used = e.get<history::QuotaFacts>().used, held = holdings.of_account(account).most;
    if (used <= held + 2048 + held / 50) continue;
    ToldAbove& above = out[account];
    above.most = std::max(above.most, used);
    if (held >= kNoTrifle)
      above.for_one = std::max(above.for_one, static_cast<double>(used) / static_cast<double>(held));
  }
  return out;
}

/// RFC 9208 section 3.1.2: limits may be hard or soft, and a server may choose "to disallow any command". What it
/// refuses, or reports, at one time because of a limit it disallows; of what it never did nobody knows it.
std::set<What> disallowed(const Case& c) {
  std::set<What> out;
  for (const Event& e : c.history.about(What::deliver, What::append, What::copy, What::move))
    if (e.type == Type::fail && says_over_quota(e)) out.insert(e.what);
  const auto& reports = c.ledger.reports();
  if (std::any_of(reports.begin(), reports.end(), [](const history::Report& report) {
        return istarts_with(report.action, "failed") && report.status.ends_with(".2.2");
      }))
    out.insert(What::deliver);
  return out;
}

/// By account, the lowest limit of MESSAGE that was told: it refuses, too.
std::map<std::uint32_t, std::uint64_t> limits_of_messages(const Case& c) {
  std::map<std::uint32_t, std::uint64_t> out;
  for (const Event& e : c.history.about(What::quota)) {
    if (e.session == 0 || !iequals(e.code, "MESSAGE")) continue;
    const std::uint64_t limit = e.get<history::QuotaFacts>().limit;
    const auto [at, fresh] = out.try_emplace(c.history.account_of(e), limit);
    if (!fresh) at->second = std::min(at->second, limit);
  }
  return out;
}

/// What an MTA took may have come into the mailbox when others had gone, or the limit was another one, or instead of
/// what never came.
bool may_have_waited(const Case& c, const Event& taken, std::uint32_t account) {
  const std::uint32_t customer = c.history.account(account).customer;
  const auto beside = [&](std::uint32_t other) {
    return other == account || (customer != 0 && c.history.account(other).customer == customer);
  };
  const auto& attempts = c.ledger.attempts();
  if (std::none_of(attempts.begin(), attempts.end(), [&](const history::Attempt& attempt) {
        return attempt.outcome == Type::ok && attempt.event <= taken.index && beside(attempt.account) &&
               over_smtp(c, c.history.event(attempt.event));
      }))
    return false;
  for (const Event& e : c.history.events())
    if (e.index > taken.index && e.what == What::admin && e.code.starts_with("set_")) return true;
  const auto& cells = c.ledger.cells();
  return std::any_of(cells.begin(), cells.end(), [&](const history::Cell& cell) {
    return beside(cell.account) && cell.adds > 0 && (cell.first_seen == 0 || cell.removed_by > taken.index);
  });
}

void decisions(Case& c, const ToldMeanwhile& told, std::set<std::uint32_t>* by_an_estimate = nullptr) {
  if (!limited(c.history)) return;
  Limits limits(c.history);
  history::Ledger so_far(c.history, c.ledger.assumed());
  const Sightings seen = most_at_once(c);
  Holdings holdings(c, so_far, seen);
  const auto had_before = full_before(c.history);
  const Strangers strangers(c);
  const auto told_above = told_above_the_sum(c);
  const Additions additions(c);
  // A usage that never was the sum, and stands near the limit, or would by the same measure: the server refuses by its
  // estimate, and says so.
  const auto by_estimate = [&](std::uint32_t account, std::uint64_t held, std::uint64_t size, std::uint64_t limit) {
    const auto at = told_above.find(account);
    if (at == told_above.end() || told.right.contains(account) || at->second.most > 1000 * limit) return false;
    const double measured = static_cast<double>(held + size) * at->second.for_one;
    return (at->second.most + size) * 10 >= limit * 8 || measured * 10 >= static_cast<double>(limit) * 8;
  };
  const auto most_messages = limits_of_messages(c);
  const std::set<What> hard = disallowed(c);
  std::map<std::uint32_t, std::uint64_t> highest;  // account -> most it may ever have held
  std::map<std::uint32_t, std::uint32_t> begun;    // session -> its first event
  Falls falls;
  for (const Event& e : c.history.events()) {
    const bool adds = e.what == What::deliver || e.what == What::append || e.what == What::copy || e.what == What::move;
    const std::uint32_t account = e.what == What::deliver ? e.account : c.history.account_of(e);
    limits.apply(c.history, e);
    if (e.session != 0) begun.try_emplace(e.session, e.index);
    const std::uint64_t limit = account == 0 ? 0 : limits.own[account];
    const std::uint32_t customer = account == 0 ? 0 : c.history.account(account).customer;
    const std::uint64_t shared = customer == 0 ? 0 : limits.shared[customer];
    const bool decided = adds && (limit != 0 || shared != 0) && (e.type == Type::ok || e.type == Type::fail);
    // What other mailboxes of a customer hold is not known, so that its limit excuses every refusal.
    if (decided && customer == 0 && e.type == Type::fail && says_over_quota(e) && !had_before.contains(account)) {
      const Bounds b = holdings.of_account(account);
      const std::uint64_t size = asked_size(c, e) + kTraceHeaders;
      const std::uint64_t most = falls.most_since(account, c.invoke(e).index, b.most);
      const auto below = [&](std::uint64_t held) { return (held + size) * 10 < limit * 8; };
      // What others were putting there may have come first, though its answer came later.
      const auto coming = below(most) ? additions.under_way(account, e) : std::nullopt;
      const bool far_below = coming && below(most + *coming);
      const auto by_count = most_messages.find(account);
      if (by_count != most_messages.end() && b.messages + 1 > by_count->second) {
        so_far.apply(e);
        holdings.follow();
        continue;
      }
      const bool moves = e.what == What::copy || e.what == What::move;  // how much it would add is not known here
      if (by_an_estimate != nullptr && by_estimate(account, most, size, limit)) by_an_estimate->insert(e.index);
      const Event* stranger = far_below && !moves ? strangers.in(account) : nullptr;
      if (stranger != nullptr) {
        c.find("others-mail",
               {"what a quota counts, known",
                fmt::format("{} is refused as over quota at {}; {}", c.who(e), c.when(e), came_in(c, *stranger)),
                {e.index, stranger->index},
                c.invoke(e).message,
                ""});
      } else if (far_below && !moves) {
        const bool was_full = highest[account] * 10 >= limit * 8;
        c.find(was_full                                  ? "not-freed"
               : by_estimate(account, most, size, limit) ? "refused-by-estimate"
                                                         : "refused-below-limit",
               {fmt::format("{} accepted: {}'s messages come to {} at most, the limit is {}",
                            c.name_of(c.invoke(e).message), c.account(account), format_size(most), format_size(limit)),
                fmt::format("{} is refused as over quota at {}{}: {} {} {}", c.who(e), c.when(e),
                            was_full ? ", though a client removed messages" : "", e.get<history::ReplyFacts>().code,
                            e.code, printable(e.text, 120)),
                {e.index},
                c.invoke(e).message,
                ""});
      }
    }
    if (decided && limit != 0 && e.type == Type::fail && e.code.ends_with(".1.1") && holdings.had_mail(account)) {
      const Bounds b = holdings.of_account(account);
      if ((b.most + asked_size(c, e)) * 10 >= limit * 8)
        c.find("wrong-reason",
               {fmt::format("a status that says that {}'s mailbox is full: 5.2.2, 4.2.2", c.account(account)),
                fmt::format("{} is told {} {} at {}, as if there were no such address: {}", c.who(e),
                            e.get<history::ReplyFacts>().code, e.code, c.when(e), printable(e.text, 120)),
                {e.index},
                e.message,
                ""});
    }
    so_far.apply(e);
    holdings.follow();
    if (limit != 0 && customer == 0) falls.look(account, holdings.of_account(account).most, e.index);
    if (!adds || (limit == 0 && shared == 0)) continue;
    const Bounds b = holdings.of_account(account);
    highest[account] = std::max(highest[account], b.most);
    const auto over = [&](std::uint64_t held, std::uint64_t most, const std::string& whose) {
      if (most == 0 || held * 2 <= most * 3) return;
      c.find(
          hard.contains(e.what) ? "accepted-over-limit" : "let-over-limit",
          {fmt::format("a refusal or a report: the limit of {} is {}", whose, format_size(most)),
           fmt::format("{} has more accepted at {}; the messages come to {}", c.who(e), c.when(e), format_size(held)),
           {e.index},
           e.message != 0 ? e.message : c.invoke(e).message,
           ""});
    };
    if (!decided || e.type != Type::ok || e.what == What::move) continue;  // what is moved adds nothing
    // RFC 9208 section 3 lets a server choose whether it disallows a command at all; one that asks for the limits when
    // somebody logs in has done so by those that held then.
    if (e.what != What::deliver && begun[e.session] < limits.changed) continue;
    if (e.what == What::deliver) {  // what was taken over SMTP and then reported as undeliverable adds nothing, either
      const history::Cell* end = c.ledger.find(e.message, account, "INBOX");
      if (end == nullptr || end->bounced || end->first_seen == 0) continue;
      // RFC 5321 section 4.5.4.1: an MTA may keep what has no room, until there is.
      if (may_have_waited(c, e, account)) continue;
    }
    // Deliveries at the same time may each have found room: no RFC makes one wait for the other.
    const auto held = [&](const Bounds& bounds, std::uint32_t whose) {
      const std::uint64_t all = e.what == What::deliver ? bounds.least : bounds.arrived;
      return all - std::min(all, additions.accepted_beside(account, whose, e));
    };
    over(held(b, 0), limit, std::string(c.account(account)));
    if (customer != 0)
      over(held(holdings.of_customer(customer), customer), shared,
           "the customer " + c.history.info.customers[customer - 1].name);
  }
}

/// RFC 9208 section 8: usage may be told as it was a while ago. Nothing that may change it has been asked for since the
/// settling time.
bool settled(const Case& c, std::uint32_t account, std::uint32_t told) {
  const Event* newest = nullptr;
  for (const Event& e : c.history.where([](history::Kind kind) { return completes(kind.type); })) {
    if (e.index >= told) break;
    if (!changes(e) || (e.session != 0 && c.by_audit(e))) continue;
    if ((e.what == What::deliver ? e.account : c.history.account_of(e)) == account) newest = &e;
  }
  return newest == nullptr || c.history.event(told).at - newest->at >= c.history.info.settle;
}

void unsettled(Case& c, std::uint32_t account, const std::string& expected, const std::string& told,
               std::uint32_t event) {
  c.find("usage-late", {fmt::format("{}'s usage {}", c.account(account), expected),
                        fmt::format("GETQUOTAROOT told {}, and was not asked again after the settling time", told),
                        {event},
                        0,
                        ""});
}

/// MESSAGE is no estimate. What INBOX holds its root counts; of other mailboxes it need not be the root, and it may be
/// the root of some that nobody sees.
void messages(Case& c, std::uint32_t account, const history::AuditedUsage& audit) {
  const auto& roots = audit.message;
  if (audit.counted()) return;
  const auto highest = std::max_element(roots.begin(), roots.end(),
                                        [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
  const history::ToldUsage& told = highest->second;
  if (told.changed || (c.history.account(account).customer != 0 && told.used >= audit.messages)) return;
  const std::string words = fmt::format("MESSAGE {} for the root \"{}\"", told.used, printable(highest->first, 60));
  if (!settled(c, account, told.event))
    return unsettled(c, account, fmt::format("of {} messages", audit.messages), words, told.event);
  const bool few = told.used < audit.in_inbox;
  c.find(few ? "messages-wrong" : "messages-differ",
         {few ? fmt::format("at least {}, which stand in {}'s INBOX", audit.in_inbox, c.account(account))
              : fmt::format("{}, which stand in {}'s mailboxes", audit.messages, c.account(account)),
          fmt::format("GETQUOTAROOT of INBOX tells {}", words),
          {told.event},
          0,
          ""});
}

/// One root counts all of the account's mail; roots of single mailboxes count less, a customer's or domain's more.
void usage(Case& c, const ToldMeanwhile& told_before) {
  const auto& meanwhile = told_before.wrong;
  const auto first_wrong = [&](std::uint32_t account) -> std::pair<std::string, std::vector<std::uint32_t>> {
    const auto at = meanwhile.find(account);
    if (at == meanwhile.end()) return {};
    const Event& change = c.history.event(at->second.change);
    return {fmt::format("; first after {} of {} at {}: {} was told, the messages came to {}", name(change.what),
                        c.who(change), c.when(change), format_size(at->second.used), at->second.expected),
            {at->second.change, at->second.told}};
  };
  std::set<std::uint32_t> wrong_at_the_end;
  const auto audits = history::audited_usages(c.history, c.ledger);
  for (const auto& [account, audit] : audits) {
    if (!audit.comparable()) continue;
    messages(c, account, audit);
    if (audit.storage.empty() || audit.unsized) continue;
    if (audit.fits()) continue;  // another root counts for more accounts than this one
    const std::uint64_t sum = audit.octets, slack = audit.slack();
    const auto highest = std::max_element(audit.storage.begin(), audit.storage.end(),
                                          [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
    const std::uint64_t used = highest->second.used;
    if (c.history.account(account).customer != 0 && used + slack >= sum) continue;
    if (highest->second.changed) {
      c.find("usage-changed", {fmt::format("{}'s usage, and mailboxes that hold still", c.account(account)),
                               fmt::format("the usage of the root \"{}\" changed while the audit listed the mailboxes",
                                           printable(highest->first, 60)),
                               {highest->second.event},
                               0,
                               ""});
      continue;
    }
    if (!settled(c, account, highest->second.event)) {
      unsettled(c, account, fmt::format("near {}", format_size(sum)),
                fmt::format("{} for the root \"{}\"", format_size(used), printable(highest->first, 60)),
                highest->second.event);
      continue;
    }
    wrong_at_the_end.insert(account);
    auto [since, events] = first_wrong(account);
    events.push_back(highest->second.event);
    // Who counted right before does not estimate (RFC 9208 section 5.1), nor does who is off by a thousand times.
    const bool estimates = !told_before.right.contains(account) && used / 1000 <= sum + slack;
    c.find(estimates ? "usage-estimated" : "usage-wrong",
           {fmt::format("{}'s usage near {}, the sum of {} messages", c.account(account), format_size(sum),
                        audit.messages),
            fmt::format("GETQUOTAROOT tells {} for the root \"{}\"{}", format_size(used), printable(highest->first, 60),
                        since),
            events, 0, ""});
  }
  for (const auto& [account, one] : meanwhile) {
    if (wrong_at_the_end.contains(account)) continue;
    const auto [since, events] = first_wrong(account);
    c.find("usage-late", {fmt::format("{}'s usage near {}", c.account(account), one.expected),
                          fmt::format("GETQUOTAROOT told {} for the root \"{}\"{}", format_size(one.used),
                                      printable(one.root, 60), since),
                          events, 0, ""});
  }
  std::set<std::uint32_t> cannot;  // be told there
  for (const Event& e : c.history.about(What::usage))
    if (e.type == Type::info) cannot.insert(e.command);
  for (const Event& e : c.history.about(What::usage)) {
    if (e.type != Type::expect || cannot.contains(e.index)) continue;
    const auto at = audits.find(c.history.account_of(e));
    if (at != audits.end() && !at->second.storage.empty()) continue;
    c.find("not-told", {fmt::format("the usage of {}", c.account(c.history.account_of(e))),
                        "no GETQUOTAROOT was answered with STORAGE in the audit",
                        {e.index},
                        0,
                        ""});
  }
}

}  // namespace

std::set<std::uint32_t> refused_by_an_estimate(const Case& c) {
  std::set<std::uint32_t> out;
  if (!limited(c.history) || c.history.about(What::quota).empty()) return out;
  Findings told_elsewhere;
  Case scratch(c.history, c.ledger, "quota", told_elsewhere);
  decisions(scratch, told_meanwhile(scratch), &out);
  return out;
}

void judge_quota(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "quota", out);
  const bool asked = !history.about(What::quota, What::get_quota, What::usage).empty();
  const ToldMeanwhile told = asked ? told_meanwhile(c) : ToldMeanwhile();
  decisions(c, told);
  if (asked) usage(c, told);
}

}  // namespace mailproof::judge
