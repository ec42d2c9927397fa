#include <fmt/format.h>

#include <algorithm>

#include "play/audit/auditor.h"

// Where a target has no IMAP the maildrop is looked into, and cleared of what is ours, over POP3.

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
      context_.fail("connect", fmt::format("the maildrop of {} could not be looked into before the start: {}: {}",
                                           context_.accounts[visit.account - 1].login,
                                           context_.endpoint(Protocol::pop3)->label(), why));
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

}  // namespace mailproof::play
