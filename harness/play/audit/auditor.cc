#include "play/audit/auditor.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

namespace mailproof::play {
namespace {
using history::Type;
using history::What;
}  // namespace

Auditor::~Auditor() { context_.network.set_alarm(*this, std::nullopt); }

void Auditor::forget() {
  alarm_ = nullptr;
  visits_.clear();
  earlier_.clear();
}

void Auditor::ring(Time) {
  if (const Then then = std::exchange(alarm_, {})) then();
}

void Auditor::note(std::string text) {
  auto e = context_.event(Type::obs, What::audit);
  e.text = std::move(text);
  context_.append(std::move(e));
}

/// One account after the other: an audit is no load test.
void Auditor::visit_all(Each each, Then then) {
  for (auto& visit : visits_) {
    if (visit->imap && visit->imap->ready()) visit->imap->logout([](const Completion&) {});
    earlier_.push_back(std::move(visit));
  }
  visits_.clear();
  for (std::size_t i = 0; i < context_.accounts.size(); ++i) {
    visits_.push_back(std::make_unique<Visit>());
    visits_.back()->account = static_cast<std::uint32_t>(i + 1);
  }
  one_by_one(
      visits_.size(),
      [this, each = std::move(each)](std::size_t i, Then next) {
        context_.problem.empty() ? each(*visits_[i], std::move(next)) : next();
      },
      std::move(then));
}

void Auditor::open_imap(Visit& visit, std::uint32_t round, MailboxReader::Bodies bodies,
                        std::function<void(bool)> then) {
  visit.reader.reset();
  visit.imap = std::make_unique<RecordedImap>(context_, 0, visit.account, round, *context_.endpoint(Protocol::imap));
  visit.reader = std::make_unique<MailboxReader>(*visit.imap, bodies);
  visit.imap->open([this, then = std::move(then)](const Completion& result) {
    if (!result.ok()) context_.fail("connect", "audit: " + result.text);
    then(result.ok());
  });
}

void Auditor::list_mailboxes(Visit& visit, Then then) {
  visit.mailboxes.clear();
  visit.own.clear();
  visit.imap->hooks.list = [&visit](const session::ImapListRow& row) {
    if (row.name.starts_with('/')) return;  // of other users, or shared: no part of the account
    if (named_as_ours(std::string(row.name))) visit.own.emplace_back(row.name);
    const auto is = [&](std::string_view wanted) {
      return std::any_of(row.attributes.begin(), row.attributes.end(),
                         [&](auto attribute) { return iequals(attribute, wanted); });
    };
    // RFC 6154 section 2: what stands in them are views of other mailboxes.
    if (is("\\All") || is("\\Flagged")) return;
    if (!is("\\Noselect") && !is("\\NonExistent")) visit.mailboxes.emplace_back(row.name);
  };
  visit.imap->list([this, &visit, then = std::move(then)](const Completion& result) {
    visit.imap->hooks.list = {};
    visit.listed = result.ok();
    if (!result.ok()) note("LIST failed: " + result.text);
    if (std::none_of(visit.mailboxes.begin(), visit.mailboxes.end(),
                     [](const auto& name) { return iequals(name, "INBOX"); }))
      visit.mailboxes.emplace_back("INBOX");
    std::sort(visit.mailboxes.begin(), visit.mailboxes.end());
    then();
  });
}

void Auditor::baseline(Then then) { look_before(Look::clean, MailboxReader::Bodies::left, std::move(then)); }

void Auditor::verify(Then then, MailboxReader::Bodies bodies) { look_before(Look::only, bodies, std::move(then)); }

void Auditor::clean_after_talk(bool own_mailboxes, Then then) {
  context_.over = true;
  look_before(own_mailboxes ? Look::clean_subscriptions : Look::clean, MailboxReader::Bodies::left, std::move(then));
}

/// Mailboxes that a check made, of this playing or one that was cut off. No judge is to wonder where they went.
void Auditor::remove_own(Visit& visit, bool subscriptions, Then then) {
  const bool was_over = std::exchange(context_.over, true);
  const Then done = [this, &visit, was_over, then = std::move(then)] {
    context_.over = was_over;
    std::erase_if(visit.mailboxes, [](const std::string& name) { return named_as_ours(name).has_value(); });
    then();
  };
  if (!subscriptions) return delete_own(visit, done);
  visit.own_subscribed.clear();
  visit.imap->hooks.list = [&visit](const session::ImapListRow& row) {
    if (named_as_ours(std::string(row.name))) visit.own_subscribed.emplace_back(row.name);
  };
  visit.imap->lsub([this, &visit, done](const Completion&) {
    visit.imap->hooks.list = {};
    one_by_one(
        visit.own_subscribed.size(),
        [&visit](std::size_t i, Then next) {
          visit.imap->unsubscribe(*named_as_ours(visit.own_subscribed[i]), [next](const Completion&) { next(); });
        },
        [this, &visit, done] { delete_own(visit, done); });
  });
}

/// The deepest first: what has inferiors may not go (RFC 3501 section 6.3.4).
void Auditor::delete_own(Visit& visit, Then then) {
  std::sort(visit.own.begin(), visit.own.end(), std::greater<>());
  one_by_one(
      visit.own.size(),
      [&visit](std::size_t i, Then next) {
        visit.imap->remove(*named_as_ours(visit.own[i]), [next](const Completion&) { next(); });
      },
      std::move(then));
}

/// Each mailbox of each account. What was not seen to be empty or ours must not be played on.
void Auditor::look_before(Look look, MailboxReader::Bodies bodies, Then then) {
  const bool change = look != Look::only;
  visit_all(
      [this, look, change, bodies](Visit& visit, Then next) {
        if (context_.endpoint(Protocol::imap) == nullptr)
          return sweep_maildrop(visit, change ? Sweep::before : Sweep::look, next);
        open_imap(visit, 0, bodies, [this, &visit, look, next](bool ok) {
          if (!ok) return next();
          look_at_all(visit, look, 1, [&visit, next] {
            if (visit.imap->over()) return next();
            visit.imap->logout([next](const Completion&) { next(); });
          });
        });
      },
      std::move(then));
}

/// A server may move what is expunged to another mailbox (Dovecot's lazy_expunge, Courier's Trash): who removed
/// something looks again.
void Auditor::look_at_all(Visit& visit, Look look, int pass, Then then) {
  constexpr int kPasses = 4;  // from INBOX to Trash, from there to what was expunged, out of it, and a last look
  const bool change = look != Look::only, subscriptions = look == Look::clean_subscriptions;
  visit.removed = false;
  list_mailboxes(visit, [this, &visit, look, change, subscriptions, pass, then = std::move(then)] {
    if (!visit.listed) not_looked_into(visit, "its list of mailboxes", "LIST was not answered with OK");
    const Then look_into_all = [this, &visit, look, change, pass, then] {
      one_by_one(
          visit.mailboxes.size(),
          [this, &visit, change](std::size_t i, Then done) {
            if (!context_.problem.empty()) return done();
            look_into(visit, visit.mailboxes[i], change, std::move(done));
          },
          [this, &visit, look, pass, then] {
            const bool again = visit.removed && context_.problem.empty() && !visit.imap->over();
            if (again && pass < kPasses) return look_at_all(visit, look, pass + 1, then);
            if (again && !context_.over) not_emptied(visit);
            then();
          });
    };
    change && (subscriptions || !visit.own.empty()) ? remove_own(visit, subscriptions, look_into_all) : look_into_all();
  });
}

/// STATUS first: an empty mailbox needs no more. Refused, or not told, is not empty: EXAMINE has the last word then, as
/// it does for what is there. It changes nothing that is not ours, \\Recent neither.
void Auditor::look_into(Visit& visit, const std::string& mailbox, bool change, Then then) {
  const auto told = std::make_shared<std::optional<std::uint64_t>>();
  visit.imap->hooks.status = [told](std::string_view, std::string_view item, std::uint64_t value) {
    if (iequals(item, "MESSAGES")) *told = value;
  };
  visit.imap->status(mailbox, [this, &visit, mailbox, change, told, then](const Completion& result) {
    visit.imap->hooks.status = {};
    const bool known = result.ok() && *told;
    if (change && known) note_baseline(visit.imap->number(), static_cast<std::uint32_t>(**told), mailbox);
    if (known && **told == 0 && change) return then();  // before a check nothing but a look counts
    visit.reader->open(mailbox, true, [this, &visit, mailbox, change, known, text = result.text, then](bool ok) {
      const std::size_t foreign = visit.reader->foreign();
      if (!ok) {
        not_looked_into(visit, mailbox, known ? "its messages could not be listed" : text);
        return then();
      }
      if (change && !known) note_baseline(visit.imap->number(), visit.imap->view().exists, mailbox);
      if (foreign != 0 && !context_.options.own_mailboxes) {
        not_ours(visit, mailbox, foreign);
      } else if (change && visit.imap->view().exists != 0) {
        return clean_mailbox(visit, mailbox, MailboxReader::Leftovers::too, then);
      }
      then();
    });
  });
}

void Auditor::note_baseline(std::uint32_t session, std::uint32_t messages, const std::string& mailbox) {
  auto e = context_.event(Type::obs, What::baseline, session);
  e.facts = history::CountFacts{messages};
  e.text = mailbox;
  context_.append(std::move(e));
}

void Auditor::not_looked_into(const Visit& visit, const std::string& mailbox, const std::string& why) {
  context_.fail("connect", fmt::format("the mailboxes of {} could not be looked into before the start: {}: {}",
                                       context_.accounts[visit.account - 1].login, mailbox, why));
}

void Auditor::not_emptied(const Visit& visit) {
  context_.fail("connect", fmt::format("the mailboxes of {} could not be emptied before the start: what an earlier run "
                                       "left there stays, or comes again, when it is expunged",
                                       context_.accounts[visit.account - 1].login));
}

void Auditor::not_ours(const Visit& visit, const std::string& mailbox, std::size_t foreign) {
  const bool one = foreign == 1;
  context_.fail("baseline",
                fmt::format("{} of {} holds {} message{} that {} not ours; it was not changed", mailbox,
                            context_.accounts[visit.account - 1].login, foreign, one ? "" : "s", one ? "is" : "are"));
}

void Auditor::clean_mailbox(Visit& visit, const std::string& mailbox, MailboxReader::Leftovers leftovers, Then then) {
  visit.reader->open(mailbox, false, [this, &visit, leftovers, then](bool ok) {
    ok && !visit.imap->over() ? remove_ours(visit, leftovers, then) : then();
  });
}

/// Removes what carries our token, or reports on it, from the open mailbox. The history does not show it: no judge is
/// to wonder.
void Auditor::remove_ours(Visit& visit, MailboxReader::Leftovers leftovers, Then then) {
  const OwnedUids uids = visit.reader->ours(leftovers);
  if (uids.empty()) return then();
  visit.removed = true;
  const bool was_over = std::exchange(context_.over, true);
  const Then done = [this, &visit, was_over, then] {
    context_.over = was_over;
    // What this session believes of the mailbox is not followed any more.
    context_.append(context_.event(Type::obs, What::unselect, visit.imap->number()));
    then();
  };
  const auto remove = [this, &visit, uids, done] {
    visit.imap->store(uids, "+FLAGS.SILENT", {"\\Deleted"}, [this, &visit, uids, done](const Completion& stored) {
      stored.ok() ? expunge_ours(visit, uids, done) : done();
    });
  };
  if (visit.imap->client().has("UIDPLUS")) return remove();
  // Marked for nothing is changed for nothing: whether EXPUNGE may follow is asked before, and again when it does.
  visit.reader->may_expunge([remove, done](const ExpungePermit* permit) { permit != nullptr ? remove() : done(); });
}

void Auditor::expunge_ours(Visit& visit, const OwnedUids& uids, Then then) {
  const auto done = [then](const Completion&) { then(); };
  if (visit.imap->client().has("UIDPLUS")) return visit.imap->expunge(uids, done);
  visit.reader->may_expunge([&visit, uids, done](const ExpungePermit* permit) {
    if (permit != nullptr) return visit.imap->expunge(*permit, done);
    visit.imap->store(uids, "-FLAGS.SILENT", {"\\Deleted"}, done);  // somebody was quicker: as it was before
  });
}

void Auditor::audit(std::uint32_t round, Then then) {
  auto begin = context_.event(Type::obs, What::audit);
  begin.facts = history::AuditFacts{round};
  begin.text = "begin";
  context_.append(std::move(begin));
  const auto end = [this, round, then = std::move(then)] {
    auto e = context_.event(Type::obs, What::audit);
    e.facts = history::AuditFacts{round};
    e.text = context_.problem.empty() ? "end" : "broken off: " + context_.problem;
    context_.append(std::move(e));
    then();
  };
  visit_all(
      [this, round](Visit& visit, Then next) {
        const auto pop3 = [this, &visit, round, next] {
          if (context_.endpoint(Protocol::pop3) == nullptr) return next();
          audit_pop3(visit, round, context_.network.now() + context_.scaled(context_.target.settle), next);
        };
        if (context_.endpoint(Protocol::imap) == nullptr) return pop3();
        open_imap(visit, round, MailboxReader::Bodies::fetched, [this, &visit, pop3, next](bool ok) {
          if (!ok) return next();
          list_mailboxes(visit, [this, &visit, pop3] { enumerate(visit, pop3); });
        });
      },
      end);
}

/// QUOTA is an extension: who does not offer it owes no answer to a scenario that asks for the usage.
static void tells_no_usage(Context& context, std::uint32_t account) {
  std::vector<std::uint32_t> asked;
  for (const history::Event& e : context.history.events()) {
    if (e.what != What::usage) continue;
    if (e.type == Type::expect && e.account == account) asked.push_back(e.index);
    if (e.type == Type::info) std::erase(asked, e.command);
  }
  for (const std::uint32_t expectation : asked) {
    auto e = context.event(Type::info, What::usage);
    e.command = expectation;
    e.text = "the server does not offer QUOTA";
    context.append(std::move(e));
  }
}

void Auditor::enumerate(Visit& visit, Then then) {
  const auto look = [this, &visit](std::size_t i, Then next) {
    if (visit.imap->over()) return next();
    const std::string& mailbox = visit.mailboxes[i];
    const auto listed = [this, &visit, mailbox, next = std::move(next)](bool ok, std::uint32_t asked) {
      if (ok) {
        visit.imap->enumerated(asked);
      } else {
        note(mailbox + " could not be listed over IMAP");
      }
      next();
    };
    // What came in while it was listed is looked at, too; what comes in while that is looked at is not asked for.
    visit.reader->open(mailbox, true, [&visit, listed](bool ok) {
      const std::uint32_t asked = visit.imap->view().exists;
      if (!ok || visit.imap->over()) return listed(ok, asked);
      visit.reader->catch_up([listed, asked](bool caught_up) { listed(caught_up, asked); });
    });
  };
  // The quota before the mailboxes and after them: told twice the same, nothing came or went between.
  const auto quota = [this, &visit](Then next) {
    if (visit.imap->over()) return next();
    if (!visit.imap->client().has("QUOTA")) {
      tells_no_usage(context_, visit.account);
      return next();
    }
    visit.imap->quota("INBOX", [next = std::move(next)](const Completion&) { next(); });
  };
  quota([this, &visit, look, quota, then = std::move(then)] {
    one_by_one(visit.mailboxes.size(), look, [this, &visit, quota, then] {
      if (visit.imap->over()) note("the audit's IMAP session ended before everything was listed");
      quota(then);
    });
  });
}

/// A maildrop may still be locked by a session that just ended (RFC 1939 section 4): asked again until `give_up`.
void Auditor::audit_pop3(Visit& visit, std::uint32_t round, Time give_up, Then then) {
  if (visit.pop3) earlier_.push_back(std::make_unique<Visit>()), earlier_.back()->pop3 = std::move(visit.pop3);
  visit.pop3 = std::make_unique<RecordedPop3>(context_, 0, visit.account, round, *context_.endpoint(Protocol::pop3));
  visit.pop3->open([this, &visit, round, give_up, then](const Completion& opened) {
    if (opened.ok()) return pop3_list(visit, then);
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

/// Headers first; then what is ours. Where a download may remove, the headers are all: an audit changes nothing, and of
/// a site that nobody knows that of nothing is tried beside mail of somebody else.
void Auditor::pop3_fetch(Visit& visit, Then then) {
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

void Auditor::clean(Then then) {
  context_.over = true;
  one_by_one(
      visits_.size(),
      [this](std::size_t i, Then next) {
        Visit& visit = *visits_[i];
        if (context_.endpoint(Protocol::imap) == nullptr) return sweep_maildrop(visit, Sweep::after, next);
        if (!visit.imap || visit.imap->over()) return next();
        // Another reader: the one that read the bodies need not do so again.
        visit.reader = std::make_unique<MailboxReader>(*visit.imap, MailboxReader::Bodies::left);
        one_by_one(
            visit.mailboxes.size(),
            [this, &visit](std::size_t mailbox, Then done) {
              if (visit.imap->over()) return done();
              clean_mailbox(visit, visit.mailboxes[mailbox], MailboxReader::Leftovers::not_these, std::move(done));
            },
            [this, &visit, next] {
              const Then remove = [this, &visit, next] { remove_made(visit, next); };
              if (visit.imap->over()) return remove();
              visit.imap->logout([remove](const Completion&) { remove(); });
            });
      },
      std::move(then));
}

namespace {

/// Mailboxes of this account that devices made and that are called so now; the deepest first.
std::vector<std::string> made_in(const history::History& history, std::uint32_t account) {
  std::set<std::string, std::greater<>> out;
  for (const history::Event& e : history.events()) {
    if (e.type != Type::ok || e.command == 0 || history.account_of(e) != account) continue;
    const history::Event& asked = history.event(e.command);
    if (e.what == What::create) out.insert(asked.mailbox);
    if (e.what == What::remove) out.erase(asked.mailbox);
    if (e.what != What::rename || out.erase(asked.mailbox) == 0) continue;
    out.insert(asked.other_mailbox);
  }
  return {out.begin(), out.end()};
}

}  // namespace

/// The next playing would find them: what it makes or renames is refused then, for want of a name that is free.
void Auditor::remove_made(Visit& visit, Then then) {
  visit.made = made_in(context_.history, visit.account);
  if (visit.made.empty()) return then();
  const auto remove = [this, &visit](std::size_t i, Then next) {
    if (visit.remover->over()) return next();
    visit.checks.push_back(std::make_unique<MailboxCheck>(context_, visit.account, std::nullopt));
    visit.checks.back()->look(visit.made[i], MailboxCheck::Name::is_new,
                              [&visit, next](const OwnedMailbox* owned, const std::string&) {
                                if (owned == nullptr || visit.remover->over()) return next();
                                visit.remover->remove(*owned, [next](const Completion&) { next(); });
                              });
  };
  visit.remover = std::make_unique<RecordedImap>(context_, 0, visit.account, 0, *context_.endpoint(Protocol::imap));
  visit.remover->open([&visit, remove, then](const Completion& opened) {
    if (!opened.ok()) return then();
    one_by_one(visit.made.size(), remove, [&visit, then] {
      if (visit.remover->over()) return then();
      visit.remover->logout([then](const Completion&) { then(); });
    });
  });
}

}  // namespace mailproof::play
