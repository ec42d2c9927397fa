#include "play/auditor.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailproof::play {
namespace {
using history::Type;
using history::What;
}  // namespace

Auditor::~Auditor() { context_.network.set_alarm(*this, std::nullopt); }

void Auditor::ring(Time) {
  if (const Then then = std::exchange(alarm_, {})) then();
}

void Auditor::note(std::string text) {
  auto e = context_.event(Type::obs, What::audit);
  e.text = std::move(text);
  context_.append(std::move(e));
}

/// One account after the other: an audit is no load test.
void Auditor::visit_all(std::uint32_t, Each each, Then then) {
  for (auto& visit : visits_) earlier_.push_back(std::move(visit));
  visits_.clear();
  for (std::size_t i = 0; i < context_.accounts.size(); ++i) {
    visits_.push_back(std::make_unique<Visit>());
    visits_.back()->account = static_cast<std::uint32_t>(i + 1);
  }
  auto step = std::make_shared<std::function<void(std::size_t)>>();
  *step = [this, each = std::move(each), then = std::move(then), weak = std::weak_ptr(step)](std::size_t i) {
    if (i >= visits_.size() || !context_.problem.empty()) return then();
    each(*visits_[i], [self = weak.lock(), i] { (*self)(i + 1); });
  };
  (*step)(0);
}

void Auditor::open_imap(Visit& visit, std::uint32_t round, std::function<void(bool)> then) {
  visit.reader.reset();
  visit.imap = std::make_unique<ImapSession>(context_, 0, visit.account, round, *context_.endpoint(Protocol::imap));
  visit.reader = std::make_unique<MailboxReader>(*visit.imap);
  visit.imap->open([this, then = std::move(then)](const ImapSession::Result& result) {
    if (!result.ok()) context_.fail("connect", "audit: " + result.text);
    then(result.ok());
  });
}

void Auditor::list_mailboxes(Visit& visit, Then then) {
  visit.mailboxes.clear();
  visit.next = 0;
  visit.imap->hooks.list = [&visit](const session::ImapListRow& row) {
    const auto is = [&](std::string_view wanted) {
      return std::any_of(row.attributes.begin(), row.attributes.end(),
                         [&](auto attribute) { return iequals(attribute, wanted); });
    };
    if (!is("\\Noselect") && !is("\\NonExistent")) visit.mailboxes.emplace_back(row.name);
  };
  visit.imap->list([this, &visit, then = std::move(then)](const ImapSession::Result& result) {
    visit.imap->hooks.list = {};
    if (!result.ok()) note("LIST failed: " + result.text);
    if (std::none_of(visit.mailboxes.begin(), visit.mailboxes.end(),
                     [](const auto& name) { return iequals(name, "INBOX"); }))
      visit.mailboxes.emplace_back("INBOX");
    std::sort(visit.mailboxes.begin(), visit.mailboxes.end());
    then();
  });
}

void Auditor::baseline(Then then) {
  visit_all(
      0,
      [this](Visit& visit, Then next) {
        if (context_.endpoint(Protocol::imap) == nullptr) return sweep_maildrop(visit, true, next);
        open_imap(visit, 0, [this, &visit, next](bool ok) {
          if (!ok) return next();
          list_mailboxes(visit, [this, &visit, next] { baseline_mailbox(visit, next); });
        });
      },
      std::move(then));
}

void Auditor::baseline_mailbox(Visit& visit, Then then) {
  if (!visit.imap->ready() && !visit.imap->over() && context_.problem.empty()) {
    // What was not seen to be empty or ours must not be played on. The end, with its reason, comes next.
    visit.imap->hooks.ended = [this, &visit, then](const session::Ended& ended) {
      context_.fail("connect", fmt::format("the mailboxes of {} could not be looked into before the start: {}",
                                           context_.accounts[visit.account - 1].login, ended.message()));
      then();
    };
    return;
  }
  if (visit.next >= visit.mailboxes.size() || !context_.problem.empty())
    return visit.imap->over() ? then() : visit.imap->logout([then](const ImapSession::Result&) { then(); });
  const std::string mailbox = visit.mailboxes[visit.next++];
  visit.imap->hooks.status = [this, &visit](std::string_view name, std::string_view item, std::uint64_t value) {
    if (!iequals(item, "MESSAGES")) return;
    auto e = context_.event(Type::obs, What::baseline, visit.imap->number());
    e.seq = static_cast<std::uint32_t>(value);
    e.text = name;
    context_.append(std::move(e));
    visit.numbers.assign(value == 0 ? 0 : 1, 1);
  };
  visit.numbers.clear();
  visit.imap->status(mailbox, [this, &visit, mailbox, then](const ImapSession::Result& result) {
    visit.imap->hooks.status = {};
    if (!result.ok() || visit.numbers.empty()) return baseline_mailbox(visit, then);
    visit.reader->open(mailbox, false, [this, &visit, mailbox, then](bool ok) {
      if (ok && visit.reader->foreign() != 0 && !context_.options.own_mailboxes) {
        context_.fail("baseline", fmt::format("{} of {} holds {} message{} that {} not ours; it was not changed",
                                              mailbox, context_.accounts[visit.account - 1].login,
                                              visit.reader->foreign(), visit.reader->foreign() == 1 ? "" : "s",
                                              visit.reader->foreign() == 1 ? "is" : "are"));
        return baseline_mailbox(visit, then);
      }
      remove_ours(visit, [this, &visit, then] { baseline_mailbox(visit, then); });
    });
  });
}

/// Removes what carries our token, or reports on it, from the open mailbox. The history does not show it: no judge is
/// to wonder.
void Auditor::remove_ours(Visit& visit, Then then) {
  const auto uids = visit.reader->ours();
  if (uids.empty() || visit.imap->over()) return then();
  const std::string set = history::format_uids(uids);
  const bool was_over = std::exchange(context_.over, true);
  visit.imap->store(set, "+FLAGS.SILENT", {"\\Deleted"},
                    [this, &visit, set, was_over, then](const ImapSession::Result&) {
                      visit.imap->expunge(visit.imap->client().has("UIDPLUS") ? set : "",
                                          [this, was_over, then](const ImapSession::Result&) {
                                            context_.over = was_over;
                                            then();
                                          });
                    });
}

void Auditor::audit(std::uint32_t round, Then then) {
  auto begin = context_.event(Type::obs, What::audit);
  begin.seq = round;
  begin.text = "begin";
  context_.append(std::move(begin));
  const auto end = [this, round, then = std::move(then)] {
    auto e = context_.event(Type::obs, What::audit);
    e.seq = round;
    e.text = context_.problem.empty() ? "end" : "broken off: " + context_.problem;
    context_.append(std::move(e));
    then();
  };
  visit_all(
      round,
      [this, round](Visit& visit, Then next) {
        const auto pop3 = [this, &visit, round, next] {
          if (context_.endpoint(Protocol::pop3) == nullptr) return next();
          audit_pop3(visit, round, context_.network.now() + context_.scaled(context_.target.settle), next);
        };
        if (context_.endpoint(Protocol::imap) == nullptr) return pop3();
        open_imap(visit, round, [this, &visit, pop3, next](bool ok) {
          if (!ok) return next();
          list_mailboxes(visit, [this, &visit, pop3] { enumerate(visit, pop3); });
        });
      },
      end);
}

void Auditor::enumerate(Visit& visit, Then then) {
  if (visit.imap->over()) {
    note("the audit's IMAP session ended before everything was listed");
    return then();
  }
  if (visit.next >= visit.mailboxes.size()) {
    if (!visit.imap->client().has("QUOTA")) return then();
    return visit.imap->quota("INBOX", [then](const ImapSession::Result&) { then(); });
  }
  const std::string mailbox = visit.mailboxes[visit.next++];
  visit.reader->open(mailbox, true, [this, &visit, mailbox, then](bool ok) {
    if (ok) {
      visit.imap->enumerated(visit.imap->view().exists);
    } else {
      note(mailbox + " could not be listed over IMAP");
    }
    enumerate(visit, then);
  });
}

/// A maildrop may still be locked by a session that just ended (RFC 1939 section 4): asked again until `give_up`.
void Auditor::audit_pop3(Visit& visit, std::uint32_t round, Time give_up, Then then) {
  if (visit.pop3) earlier_.push_back(std::make_unique<Visit>()), earlier_.back()->pop3 = std::move(visit.pop3);
  visit.pop3 = std::make_unique<Pop3Session>(context_, 0, visit.account, round, *context_.endpoint(Protocol::pop3));
  visit.pop3->open([this, &visit, round, give_up, then](const Pop3Session::Result& opened) {
    if (opened.ok()) return pop3_list(visit, then);
    if (context_.network.now() >= give_up) {
      note("the maildrop could not be opened over POP3: " + opened.text);
      return then();
    }
    alarm_ = [this, &visit, round, give_up, then] { audit_pop3(visit, round, give_up, then); };
    context_.network.set_alarm(*this, context_.network.now() + std::chrono::seconds(1));
  });
}

void Auditor::pop3_list(Visit& visit, Then then) {
  const auto listed = [this, &visit, then](const Pop3Session::Result&) {
    visit.numbers.clear();
    for (const auto& [number, entry] : visit.pop3->entries()) visit.numbers.push_back(number);
    visit.next = 0;
    pop3_next(visit, then);
  };
  visit.pop3->stat([&visit, listed](const Pop3Session::Result& stat) {
    if (!stat.ok() || visit.pop3->messages() == 0) return listed(stat);
    visit.pop3->list([&visit, listed](const Pop3Session::Result& list) {
      if (!list.ok() || !visit.pop3->client().has("UIDL")) return listed(list);
      visit.pop3->uidl(listed);
    });
  });
}

void Auditor::pop3_next(Visit& visit, Then then) {
  if (visit.pop3->over()) {
    note("the audit's POP3 session ended before everything was listed");
    return then();
  }
  if (visit.next >= visit.numbers.size()) {
    visit.pop3->enumerated();
    return visit.pop3->quit([then](const Pop3Session::Result&) { then(); });
  }
  const std::uint32_t number = visit.numbers[visit.next++];
  const auto retrieve = [this, &visit, number, then] {
    visit.pop3->retr(number, [this, &visit, then](const Pop3Session::Result&) { pop3_next(visit, then); });
  };
  if (!visit.pop3->client().has("TOP")) return retrieve();
  visit.pop3->top(number, 0, [this, &visit, number, retrieve, then](const Pop3Session::Result&) {
    const auto& entry = visit.pop3->entries()[number];
    if (entry.looked_at && !entry.stamped && !entry.report && !context_.options.own_mailboxes)
      return pop3_next(visit, then);
    retrieve();
  });
}

void Auditor::clean(Then then) {
  context_.over = true;
  auto step = std::make_shared<std::function<void(std::size_t)>>();
  *step = [this, then = std::move(then), weak = std::weak_ptr(step)](std::size_t i) {
    if (i >= visits_.size()) return then();
    Visit& visit = *visits_[i];
    const auto next = [self = weak.lock(), i] { (*self)(i + 1); };
    if (context_.endpoint(Protocol::imap) == nullptr) return sweep_maildrop(visit, false, next);
    if (!visit.imap || visit.imap->over()) return next();
    visit.next = 0;
    clean_mailbox(visit, [&visit, next] {
      if (visit.imap->over()) return next();
      visit.imap->logout([next](const ImapSession::Result&) { next(); });
    });
  };
  (*step)(0);
}

void Auditor::clean_mailbox(Visit& visit, Then then) {
  if (visit.next >= visit.mailboxes.size() || visit.imap->over()) return then();
  const std::string mailbox = visit.mailboxes[visit.next++];
  visit.reader->open(mailbox, false, [this, &visit, then](bool ok) {
    if (!ok) return clean_mailbox(visit, then);
    remove_ours(visit, [this, &visit, then] { clean_mailbox(visit, then); });
  });
}

}  // namespace mailproof::play
