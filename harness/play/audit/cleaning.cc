#include <algorithm>
#include <functional>
#include <set>

#include "core/bytes.h"
#include "play/audit/auditor.h"

// What is ours is taken out of the mailboxes again, over IMAP; over POP3: maildrop.cc.

namespace mailproof::play {

using history::Type;
using history::What;

namespace {

/// Mailboxes of this account that devices made and that are called so now; the deepest first. Not what was there
/// `before`: a server may say OK to its CREATE, or take two names for one (RFC 3501 section 5.1). MailboxCheck looks
/// again.
std::vector<std::string> made_in(const history::History& history, std::uint32_t account,
                                 const std::set<std::string>& before, const Separators& separators) {
  std::set<std::string, std::greater<>> out;
  const auto made = [&](const std::string& name) {
    if (!before.contains(lower(name))) out.insert(name);
  };
  for (const history::Event& e : history.events()) {
    if (e.type != Type::ok || e.command == 0 || history.account_of(e) != account) continue;
    const history::Event& asked = history.event(e.command);
    if (e.what == What::create) made(asked.mailbox);
    if (e.what == What::remove) out.erase(asked.mailbox);
    if (e.what != What::rename) continue;
    // What is below it goes with it, but for INBOX (RFC 3501 section 6.3.5).
    const bool inbox = iequals(asked.mailbox, "INBOX");
    if (inbox) made(asked.other_mailbox);
    std::set<std::string, std::greater<>> renamed;
    for (const std::string& name : out)
      if (!inbox && name.starts_with(asked.mailbox) &&
          (name.size() == asked.mailbox.size() || separators.below(name, asked.mailbox)))
        renamed.insert(name);
    for (const std::string& name : renamed) {
      out.erase(name);
      made(asked.other_mailbox + name.substr(asked.mailbox.size()));
    }
  }
  return {out.begin(), out.end()};
}

}  // namespace

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

void Auditor::clean_mailbox(Visit& visit, const std::string& mailbox, MailboxReader::Leftovers leftovers, Then then) {
  visit.reader->open_and_keep_up(mailbox, false, [this, &visit, leftovers, then](bool ok) {
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

/// The next playing would find them: what it makes or renames is refused then, for want of a name that is free.
void Auditor::remove_made(Visit& visit, Then then) {
  visit.made = made_in(context_.history, visit.account, context_.there_before(visit.account), visit.separators);
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
