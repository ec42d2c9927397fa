#include <fmt/format.h>

#include "play/auditor.h"

// Where a target has no IMAP the maildrop is looked into, and cleared of what is ours, over POP3.

namespace mailproof::play {

using history::Type;
using history::What;

/// `before`: the maildrop must be empty or hold only what is ours. A message without a header that says so is not ours,
/// and without TOP nothing can be said but by fetching it.
void Auditor::sweep_maildrop(Visit& visit, bool before, Then then) {
  if (visit.pop3) earlier_.push_back(std::make_unique<Visit>()), earlier_.back()->pop3 = std::move(visit.pop3);
  visit.pop3 = std::make_unique<Pop3Session>(context_, 0, visit.account, 0, *context_.endpoint(Protocol::pop3));
  const auto failed = [this, &visit, before, then](const std::string& what) {
    if (before)
      context_.fail("connect", fmt::format("the maildrop of {} could not be looked into before the start: {}: {}",
                                           context_.accounts[visit.account - 1].login,
                                           context_.endpoint(Protocol::pop3)->label(), what));
    then();
  };
  visit.pop3->open([this, &visit, before, failed, then](const Pop3Session::Result& opened) {
    if (!opened.ok()) return failed(opened.text);
    visit.pop3->stat([this, &visit, before, failed, then](const Pop3Session::Result& stat) {
      if (!stat.ok()) return failed("STAT: " + stat.text);
      if (visit.pop3->messages() == 0) return visit.pop3->quit([then](const Pop3Session::Result&) { then(); });
      if (before) {
        auto e = context_.event(Type::obs, What::baseline, visit.pop3->number());
        e.seq = visit.pop3->messages();
        e.text = "INBOX";
        context_.append(std::move(e));
      }
      visit.pop3->list([this, &visit, before, failed, then](const Pop3Session::Result& list) {
        if (!list.ok()) return failed("LIST: " + list.text);
        visit.numbers.clear();
        for (const auto& [number, entry] : visit.pop3->entries()) visit.numbers.push_back(number);
        visit.next = 0;
        look_at_maildrop(visit, before, then);
      });
    });
  });
}

void Auditor::look_at_maildrop(Visit& visit, bool before, Then then) {
  if (visit.pop3->over()) return then();
  if (visit.next < visit.numbers.size() && visit.pop3->client().has("TOP"))
    return visit.pop3->top(visit.numbers[visit.next++], 0, [this, &visit, before, then](const Pop3Session::Result&) {
      look_at_maildrop(visit, before, then);
    });
  std::size_t foreign = 0;
  for (const auto& [number, entry] : visit.pop3->entries()) foreign += entry.stamped || entry.report ? 0 : 1;
  if (before && foreign != 0 && !context_.options.own_mailboxes) {
    context_.fail("baseline", fmt::format("the maildrop of {} is not empty ({} messages); it was not touched",
                                          context_.accounts[visit.account - 1].login, visit.pop3->messages()));
    return visit.pop3->quit([then](const Pop3Session::Result&) { then(); });
  }
  visit.next = 0;
  const bool was_over = std::exchange(context_.over, true);  // no judge is to wonder who removed them
  empty_maildrop(visit, [this, was_over, then] {
    context_.over = was_over;
    then();
  });
}

void Auditor::empty_maildrop(Visit& visit, Then then) {
  if (visit.pop3->over()) return then();
  while (visit.next < visit.numbers.size()) {
    const std::uint32_t number = visit.numbers[visit.next++];
    const auto& entry = visit.pop3->entries()[number];
    if (!entry.stamped && !entry.report) continue;
    return visit.pop3->dele(number, [this, &visit, then](const Pop3Session::Result&) { empty_maildrop(visit, then); });
  }
  visit.pop3->quit([then](const Pop3Session::Result&) { then(); });
}

}  // namespace mailproof::play
