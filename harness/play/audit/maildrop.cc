#include <fmt/format.h>

#include <algorithm>

#include "play/audit/auditor.h"
#include "session/pop3/expire.h"

// What is looked at over POP3: the maildrop as a part of the audit, and where a target has no IMAP also before the
// start and for cleaning up.

namespace mailproof::play {

using history::Type;
using history::What;

/// before: the maildrop must be empty or hold only what is ours, which is removed; look: the same, and it stays. A
/// message whose header nobody showed us is not ours.
void Auditor::sweep_maildrop(Visit& visit, Sweep what, Then then) {
  if (visit.pop3) earlier_.push_back(std::make_unique<Visit>()), earlier_.back()->pop3 = std::move(visit.pop3);
  visit.pop3 = std::make_unique<RecordedPop3>(context_, 0, visit.account, 0, *context_.endpoint(Protocol::pop3));
  const auto failed = [this, &visit, what, then](const std::string& why) {
    if (what != Sweep::after)
      fail("connect",
           fmt::format("the maildrop of {} could not be looked into before the start: {}: {}",
                       context_.accounts[visit.account - 1].login, context_.endpoint(Protocol::pop3)->label(), why));
    then();
  };
  visit.pop3->open([this, &visit, what, failed, then](const Completion& opened) {
    if (!opened.ok()) return failed(opened.text);
    visit.pop3->stat([this, &visit, what, failed, then](const Completion& stat) {
      if (!stat.ok()) return failed("STAT: " + stat.text);
      if (visit.pop3->messages() == 0) return visit.pop3->quit([then](const Completion&) { then(); });
      if (what == Sweep::before) note_baseline(visit.pop3->number(), visit.pop3->messages(), "INBOX");
      visit.pop3->list([this, &visit, what, failed, then](const Completion& list) {
        if (!list.ok()) return failed("LIST: " + list.text);
        visit.pop3->look_at(visit.pop3->numbers(), [this, &visit, what, failed, then] {
          visit.pop3->over() ? failed("the connection ended") : look_at_maildrop(visit, what, then);
        });
      });
    });
  });
}

void Auditor::look_at_maildrop(Visit& visit, Sweep what, Then then) {
  const auto quit = [&visit, then] { visit.pop3->quit([then](const Completion&) { then(); }); };
  const auto numbers = visit.pop3->numbers();
  const auto ours = static_cast<std::size_t>(std::count_if(
      numbers.begin(), numbers.end(), [&visit](auto number) { return visit.pop3->guard().is_ours(number); }));
  const std::size_t there = std::max<std::size_t>(visit.pop3->messages(), numbers.size());
  if (what != Sweep::after && ours != there && !context_.options.own_mailboxes) {
    not_ours(visit, "the maildrop", there - ours);
    return quit();
  }
  if (what == Sweep::look) return quit();
  const bool was_over = std::exchange(context_.over, true);  // no judge is to wonder who removed them
  empty_maildrop(visit, [this, was_over, then] {
    context_.over = was_over;
    then();
  });
}

void Auditor::empty_maildrop(Visit& visit, Then then) {
  const auto numbers = visit.pop3->numbers();
  one_by_one(
      numbers.size(),
      [&visit, numbers](std::size_t i, Then next) {
        const auto owned = visit.pop3->owned(numbers[i]);
        if (!owned || !visit.pop3->guard().is_ours(numbers[i]) || visit.pop3->over()) return next();
        visit.pop3->dele(*owned, [next](const Completion&) { next(); });
      },
      [&visit, then = std::move(then)] { visit.pop3->quit([then](const Completion&) { then(); }); });
}

/// A maildrop may still be locked by a session that just ended (RFC 1939 section 4): asked again until `give_up`. The
/// audit's own IMAP session may have it, which then goes first.
void Auditor::audit_pop3(Visit& visit, std::uint32_t round, Time give_up, Then then) {
  if (visit.pop3) earlier_.push_back(std::make_unique<Visit>()), earlier_.back()->pop3 = std::move(visit.pop3);
  visit.pop3 = std::make_unique<RecordedPop3>(context_, 0, visit.account, round, *context_.endpoint(Protocol::pop3));
  visit.pop3->open([this, &visit, round, give_up, then](const Completion& opened) {
    if (opened.ok()) return pop3_list(visit, then);
    if (visit.pop3->too_long().empty() && visit.imap && visit.imap->ready())
      return visit.imap->logout([this, &visit, round, then](const Completion&) {
        audit_pop3(visit, round, context_.network.now() + context_.scaled(context_.target.settle), then);
      });
    const std::string& too_long = visit.pop3->too_long();
    if (!too_long.empty() || context_.network.now() >= give_up + visit.pop3->waited()) {
      note("the maildrop could not be opened over POP3: " + (too_long.empty() ? opened.text : too_long));
      return then();
    }
    alarm_ = [this, &visit, round, give_up, then] { audit_pop3(visit, round, give_up, then); };
    context_.network.set_alarm(*this, context_.network.now() + std::chrono::seconds(1));
  });
}

void Auditor::pop3_list(Visit& visit, Then then) {
  const auto ended = [this, &visit, then](const Completion& result) {
    if (result.ok()) return pop3_fetch(visit, then);
    note("the maildrop could not be listed over POP3: " + result.text);
    visit.pop3->over() ? then() : visit.pop3->quit([then](const Completion&) { then(); });
  };
  visit.pop3->stat([this, &visit, then, ended](const Completion& stat) {
    if (!stat.ok() || visit.pop3->messages() == 0) return ended(stat);
    visit.pop3->list([this, &visit, then, ended](const Completion& list) {
      if (!list.ok() || !visit.pop3->client().has("UIDL")) return ended(list);
      // Refused it is only not offered: CAPA need not have said so.
      visit.pop3->uidl([this, &visit, then, ended](const Completion& uidl) {
        visit.pop3->over() ? ended(uidl) : pop3_fetch(visit, then);
      });
    });
  });
}

/// Whether what RETR brings may go with QUIT, though nobody marked it (RFC 1939 section 8).
bool Auditor::may_remove_what_it_downloads(const Visit& visit) const {
  const auto declared = context_.target.pop3_download;
  const auto policy = declared ? declared : visit.pop3->announced_download();
  if (policy) return *policy == Pop3Download::removes;
  const auto numbers = visit.pop3->numbers();
  return std::any_of(numbers.begin(), numbers.end(),
                     [&visit](auto number) { return !visit.pop3->guard().is_ours(number); });
}

/// RFC 2449 section 6.7: "Servers may start counting days to expiration" when a message is acted upon, by TOP as well.
static bool counts_days(RecordedPop3& pop3) {
  return session::announced_expiry_days(pop3.client().capabilities()).value_or(0) != 0;
}

/// Headers first; then what is ours. Where a download may remove, the headers are all: an audit changes nothing, and of
/// a site that nobody knows that of nothing is tried beside mail of somebody else.
void Auditor::pop3_fetch(Visit& visit, Then then) {
  if (visit.beside_others && counts_days(*visit.pop3)) {
    note("the maildrop was left alone: INBOX holds mail that is not ours, whose days would count from a TOP on");
    return visit.pop3->quit([then = std::move(then)](const Completion&) { then(); });
  }
  const auto numbers = visit.pop3->numbers();
  const auto fetch = [&visit, numbers](std::size_t i, Then next) {
    const auto owned = visit.pop3->owned(numbers[i]);
    if (!owned || visit.pop3->over()) return next();
    visit.pop3->retr(*owned, [next = std::move(next)](const Completion&) { next(); });
  };
  visit.pop3->look_at(numbers, [this, &visit, numbers, fetch, then = std::move(then)] {
    const std::size_t fetched = may_remove_what_it_downloads(visit) ? 0 : numbers.size();
    one_by_one(fetched, fetch, [this, &visit, then] { pop3_listed(visit, then); });
  });
}

void Auditor::pop3_listed(Visit& visit, Then then) {
  if (visit.pop3->over()) {
    note("the audit's POP3 session ended before everything was listed");
    return then();
  }
  const auto numbers = visit.pop3->numbers();
  const bool unseen = std::any_of(numbers.begin(), numbers.end(), [&visit](auto number) {
    return !visit.pop3->looked_at(number) && !visit.pop3->owned(number);
  });
  if (unseen) {
    note(
        "the maildrop has messages that were left alone: whose they are is seen by TOP, which was refused or is not "
        "offered");
  } else {
    visit.pop3->enumerated();
  }
  visit.pop3->quit([then](const Completion&) { then(); });
}

}  // namespace mailproof::play
