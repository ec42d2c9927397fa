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

void Auditor::fail(std::string_view code, std::string text) {
  if (!beside_) context_.fail(code, std::move(text));
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
    if (!result.ok()) fail("connect", "audit: " + result.text);
    then(result.ok());
  });
}

void Auditor::list_mailboxes(Visit& visit, Then then) {
  visit.mailboxes.clear();
  visit.names.clear();
  visit.separators = {};
  visit.own.clear();
  visit.imap->hooks.list = [this, &visit](const session::ImapListRow& row) {
    visit.names.insert(lower(row.name));
    if (first_look_) context_.before[visit.account].insert(lower(row.name));
    visit.separators.told(row);
    if (row.name.starts_with('/')) return;  // of other users, or shared: no part of the account
    if (named_as_ours(std::string(row.name))) {
      visit.own.emplace_back(row.name);
      if (beside_) return;  // what a check puts there bears no stamp of ours
    }
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

void Auditor::baseline(Then then) {
  first_look_ = true;
  look_before(Look::clean, MailboxReader::Bodies::left, [this, then = std::move(then)] {
    first_look_ = false;
    then();
  });
}

void Auditor::believe(const SeenEmpty& seen) {
  context_.before = seen.mailboxes;
  seen_empty_ = seen;
  for (const auto& [account, mailboxes] : seen.mailboxes) {
    auto e = context_.event(Type::obs, What::baseline);
    e.account = account;
    e.code = "seen-before";
    e.text = "all mailboxes, when the scenario before this one had ended";
    e.facts = history::CountFacts{0};
    context_.append(std::move(e));
  }
}

void Auditor::verify(Then then, MailboxReader::Bodies bodies) { look_before(Look::only, bodies, std::move(then)); }

void Auditor::look_beside(Then then) {
  beside_ = true;
  look_before(Look::only, MailboxReader::Bodies::fetched, [this, then = std::move(then)] {
    beside_ = false;
    then();
  });
}

/// Each mailbox of each account. What was not seen to be empty or ours must not be played on.
void Auditor::look_before(Look look, MailboxReader::Bodies bodies, Then then) {
  const bool change = look != Look::only;
  seen_empty_.reset();
  const Time began = context_.network.now();
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
      [this, change, began, then = std::move(then)] {
        if (change) note_seen_empty(began);
        then();
      });
}

void Auditor::note_seen_empty(Time began) {
  SeenEmpty seen{{}, began};
  for (const auto& visit : visits_) {
    if (!visit->all_empty || !visit->listed || !context_.problem.empty()) return;
    seen.mailboxes[visit->account] = visit->names;
  }
  if (!visits_.empty()) seen_empty_ = std::move(seen);
}

/// A server may move what is expunged to another mailbox (Dovecot's lazy_expunge, Courier's Trash): who removed
/// something looks again.
void Auditor::look_at_all(Visit& visit, Look look, int pass, Then then) {
  constexpr int kPasses = 4;  // from INBOX to Trash, from there to what was expunged, out of it, and a last look
  const bool change = look != Look::only, subscriptions = look == Look::clean_subscriptions;
  visit.removed = false;
  list_mailboxes(visit, [this, &visit, look, change, subscriptions, pass, then = std::move(then)] {
    if (!visit.listed) not_looked_into(visit, "its list of mailboxes", "LIST was not answered with OK");
    visit.all_empty = visit.own.empty();
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
  // RFC 3501 section 6.3.10: STATUS should not be used on the mailbox that is open, as after a pass that emptied it.
  const bool open = iequals(visit.imap->view().mailbox, mailbox);
  const auto looked = [this, &visit, mailbox, change, open, told, then](const Completion& result) {
    visit.imap->hooks.status = {};
    if (open && result.ok()) *told = visit.imap->view().exists;
    const bool known = result.ok() && *told;
    if (change && known) note_baseline(visit.imap->number(), static_cast<std::uint32_t>(**told), mailbox);
    if (known && **told == 0 && change) return then();  // before a check nothing but a look counts
    visit.all_empty = false;
    visit.reader->open_and_keep_up(
        mailbox, true, [this, &visit, mailbox, change, known, text = result.text, then](bool ok) {
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
  };
  open ? visit.imap->noop(looked) : visit.imap->status(mailbox, looked);
}

void Auditor::note_baseline(std::uint32_t session, std::uint32_t messages, const std::string& mailbox) {
  auto e = context_.event(Type::obs, What::baseline, session);
  e.facts = history::CountFacts{messages};
  e.text = mailbox;
  context_.append(std::move(e));
}

void Auditor::not_looked_into(const Visit& visit, const std::string& mailbox, const std::string& why) {
  fail("connect", fmt::format("the mailboxes of {} could not be looked into before the start: {}: {}",
                              context_.accounts[visit.account - 1].login, mailbox, why));
}

void Auditor::not_emptied(const Visit& visit) {
  fail("connect", fmt::format("the mailboxes of {} could not be emptied before the start: what an earlier run "
                              "left there stays, or comes again, when it is expunged",
                              context_.accounts[visit.account - 1].login));
}

void Auditor::not_ours(const Visit& visit, const std::string& mailbox, std::size_t foreign) {
  const bool one = foreign == 1;
  fail("baseline",
       fmt::format("{} of {} holds {} message{} that {} not ours; it was not changed", mailbox,
                   context_.accounts[visit.account - 1].login, foreign, one ? "" : "s", one ? "is" : "are"));
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
        if (iequals(mailbox, "INBOX")) visit.beside_others = visit.reader->foreign() != 0;
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

}  // namespace mailproof::play
