#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "play/devices/imap_device.h"
#include "scenario/plan/profile.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;
using scenario::Verb;

}  // namespace

void ImapDevice::act(const scenario::Step& step, Finish done) {
  const auto plain = [done](const Completion&) { done(); };
  const auto online = [&](std::function<void()> then) {
    connected([done, then = std::move(then)](bool ok) { ok ? then() : done(); });
  };
  const auto named = [&]() -> const std::string& { return step.get<scenario::OfMailbox>().mailbox; };
  switch (step.verb) {
    case Verb::open:
    case Verb::examine:
      return online([this, &mailbox = named(), read_only = step.verb == Verb::examine, done] {
        reader_->open(mailbox, read_only, [done](bool) { done(); });
      });
    case Verb::sync:
      return sync(std::move(done));
    case Verb::idle:
      return in_mailbox(box(named()), [this, done](bool ok) { ok ? listen(done) : done(); });
    case Verb::read:
      return read(step.get<scenario::Read>(), std::move(done));
    case Verb::flag:
    case Verb::unflag:
      return flag(step.get<scenario::Flag>(), step.verb == Verb::flag, std::move(done));
    case Verb::remove:
      return remove(step.get<scenario::Delete>(), std::move(done));
    case Verb::expunge:
      return in_mailbox(box(named()), [this, &mailbox = named(), done](bool ok) {
        if (!ok) {
          note_unopened(may_be_in(box(mailbox)));
          return done();
        }
        about_ = messages_in_view();
        expunge(done);
      });
    case Verb::move: {
      const auto& what = step.get<scenario::Move>();
      return with_messages(what, done, [this, &what, done](const OwnedUids& uids) { move(uids, what.to, done); });
    }
    case Verb::copy: {
      const auto& what = step.get<scenario::Move>();
      return with_messages(what, done, [this, &what, done](const OwnedUids& uids) { copy(uids, what.to, done); });
    }
    case Verb::try_names:
      return online([this, &what = step.get<scenario::OfNames>(), done] { try_names(what.names, done); });
    case Verb::save:
      return online([this, &what = step.get<scenario::Save>(), done] { save(what, done); });
    case Verb::upload:
      return online([this, &what = step.get<scenario::Upload>(), done] { upload(what, done); });
    case Verb::connect:
      return connect(step.get<scenario::Connect>(), step.text, std::move(done));
    case Verb::smuggle:
      smuggles_.push_back(std::make_unique<Smuggle>(context_, number_, account_,
                                                    *context_.endpoint(Protocol::imap, TlsMode::starttls),
                                                    step.get<scenario::Smuggle>().command, std::move(done)));
      return;
    case Verb::vanish:
      if (session_ != nullptr) session_->drop(true);
      vanish(context_, device_.name);
      return done();
    case Verb::create:
      return online([this, &mailbox = named(), plain] { session_->create(mailbox, plain); });
    case Verb::rename:
      return online([this, &what = step.get<scenario::Rename>(), done] { rename(what, done); });
    case Verb::remove_mailbox:
      return online([this, &mailbox = named(), done] { remove_mailbox(mailbox, done); });
    case Verb::subscribe:
      return online([this, &mailbox = named(), plain] { session_->subscribe(mailbox, plain); });
    case Verb::search:
      return search(step.get<scenario::Search>(), step.text, std::move(done));
    case Verb::quota:
      return online([this, &mailbox = named(), plain] { session_->quota(mailbox, plain); });
    case Verb::compare:
      return compare(step.text, std::move(done));
    case Verb::go: {
      const auto& go = step.get<scenario::Go>();
      return go.online ? go_online(go.resync, step.text, std::move(done)) : go_offline(std::move(done));
    }
    case Verb::logout:
      return log_out(std::move(done));
    case Verb::drop:
      if (session_ != nullptr) session_->drop(true);
      return done();
    default:
      break;
  }
  context_.fail("verb", fmt::format("{} cannot {}", device_.name, name(step.verb)));
  done();
}

/// Who is told to idle in so many words is there for what IDLE tells (RFC 2177); who does it by itself asks with NOOP
/// where there is none.
void ImapDevice::listen(Finish done) {
  if (!session_->client().has("IDLE")) {
    context_.inapplicable("the target does not offer IDLE (RFC 2177)");
    return done();
  }
  start_idle([this, done = std::move(done)] {
    if (session_->ready() && !session_->client().idling())
      context_.fail("idle", device_.name + ": IDLE, which the server offers, was refused");
    done();
  });
}

void ImapDevice::sync(Finish done) {
  in_mailbox(box(), [this, done](bool ok) {
    if (!ok) return done();
    session_->noop([this, done](const Completion& result) {
      if (!result.ok()) return done();
      reader_->catch_up([done](bool) { done(); });
    });
  });
}

/// These messages in the mailbox that is named, or the open one. What is not in view is asked for once more; what is
/// not there then, or is not ours after all, is not touched: another device may have been quicker.
void ImapDevice::with_messages(const scenario::InMailbox& what, Finish done,
                               std::function<void(const OwnedUids&)> then) {
  in_mailbox(box(what.mailbox), [this, &what, done = std::move(done), then = std::move(then)](bool ok) {
    const auto wanted = context_.messages.numbers(what.messages);
    if (!ok) {
      note_unopened(wanted);
      return done();
    }
    const auto go_on = [this, wanted, done, then](bool) {
      note_undone(wanted);
      about_ = wanted;
      const OwnedUids uids = reader_->owned(wanted);
      uids.empty() ? done() : then(uids);
    };
    const bool all = std::all_of(wanted.begin(), wanted.end(), [this](auto m) { return reader_->has(m); });
    if (all) return go_on(true);
    session_->noop([this, go_on](const Completion& result) { result.ok() ? reader_->catch_up(go_on) : go_on(false); });
  });
}

/// The server would not open the mailbox, or show what is in it.
void ImapDevice::note_unopened(const std::vector<std::uint32_t>& messages) {
  if (reader_ != nullptr)
    note_refused(messages, "SELECT, or UID FETCH,", reader_->failure(), Leaves::mail_that_was_to_go);
}

void ImapDevice::note_undone(const std::vector<std::uint32_t>& wanted) {
  std::vector<std::uint32_t> missing;
  for (const auto message : wanted)
    if (reader_->owned({message}).empty()) missing.push_back(message);
  undone(context_, missing, session_number(), cut_short(session_->end()) ? ended_by_server(session_->end()) : "");
}

/// Deletes or renames a mailbox only where everything in it, and below it, is ours.
void ImapDevice::if_ours(const std::string& mailbox, Finish done, std::function<void(const OwnedMailbox&)> then,
                         MailboxCheck::Name name) {
  checks_.push_back(std::make_unique<MailboxCheck>(context_, account_, device_.tls));
  const MailboxCheck* check = checks_.back().get();
  checks_.back()->look(mailbox, name,
                       [this, check, mailbox, done = std::move(done), then = std::move(then)](const OwnedMailbox* owned,
                                                                                              const std::string& why) {
                         if (owned != nullptr) return then(*owned);
                         const std::string left = fmt::format("{} was left as it is: {}", mailbox, why);
                         if (check->refused())
                           undone(context_, may_be_in(mailbox), session_number(), left, "refused-removal");
                         else
                           context_.fail("foreign", left);
                         done();
                       });
}

void ImapDevice::read(const scenario::Read& read, Finish done) {
  if (read.pieces != 0) return read_in_pieces(read, std::move(done));
  with_messages(read, done, [this, done](const OwnedUids& uids) {
    if (device_.profile != nullptr && !device_.profile->reading.empty()) return show(uids, 0, done);
    session_->fetch(uids, "(UID FLAGS BODY[])", [this, done](const Completion& result) {
      note_refused(about_, "UID FETCH", result);
      if (result.ok() && !keeps("\\Seen")) note_not_kept("\\Seen");
      done();
    });
  });
}

/// The steps of its profile to show a message, from this one on.
void ImapDevice::show(const OwnedUids& uids, std::size_t from, Finish done) {
  const auto& steps = device_.profile->reading;
  const auto next = [this, uids, from, done](const Completion& result) {
    const bool fetched = device_.profile->reading[from].ask == scenario::Ask::fetch;
    if (fetched) note_refused(about_, "UID FETCH", result);
    if (fetched && result.ok() && !keeps("\\Seen")) note_not_kept("\\Seen");
    result.ok() ? show(uids, from + 1, done) : done();
  };
  if (from >= steps.size()) return done();
  const auto& step = steps[from];
  if (step.ask == scenario::Ask::fetch) return session_->fetch(uids, step.text, next);
  if (step.ask == scenario::Ask::store)
    return store(uids, step.silent ? "+FLAGS.SILENT" : "+FLAGS", {step.text}, Leaves::room_as_it_was, next);
  if (step.ask == scenario::Ask::noop) return session_->noop(next);
  show(uids, from + 1, std::move(done));  // what concerns no message
}

void ImapDevice::read_in_pieces(const scenario::Read& read, Finish done) {
  with_messages(read, done, [this, &read, done](const OwnedUids&) {
    // A message may be there twice: each copy is read for itself.
    const auto uids = reader_->uids_of(context_.messages.numbers(read.messages));
    one_by_one(
        uids.size(),
        [this, &read, uids](std::size_t i, Finish next) {
          const OwnedUids one = session_->guard().owned({uids[i]});
          if (one.empty()) return next();
          session_->fetch_in_pieces(one, static_cast<std::uint32_t>(read.pieces),
                                    [this, next](const Completion& result) {
                                      note_refused(about_, "UID FETCH", result);
                                      next();
                                    });
        },
        done);
  });
}

/// Names that a server may refuse. What it makes is listed, opened and removed again; of that the judges think.
void ImapDevice::try_names(const std::vector<std::string>& names, Finish on) {
  // What it knew of its mailbox is not known any more once others were selected.
  const Finish done = [this, on = std::move(on)] { reader_->open("INBOX", false, [on](bool) { on(); }); };
  const auto before = std::make_shared<std::set<std::string>>();
  const auto refused = std::make_shared<std::vector<std::string>>();
  const auto made = std::make_shared<std::size_t>(0);  // were made, so that there is something to be seen of them
  const auto list = [this](std::shared_ptr<std::set<std::string>> into, std::function<void()> then) {
    session_->hooks.list = [into](const session::ImapListRow& row) { into->emplace(row.name); };
    session_->list([this, then = std::move(then)](const Completion&) {
      session_->hooks.list = {};
      then();
    });
  };
  const auto one = [this, list, names, before, refused, made](std::size_t i, Finish next) {
    const std::string& name = names[i];
    if (session_->over() || before->contains(name)) return next();
    session_->create(name, [this, list, name, refused, made, next](const Completion& created) {
      if (!created.ok()) {
        if (created.outcome == session::Outcome::fail && !session_->over()) refused->push_back(name);
        return next();
      }
      ++*made;
      list(std::make_shared<std::set<std::string>>(), [this, name, next] {
        session_->select(name, false, [this, name, next](const Completion& selected) {
          if (!selected.ok()) return next();
          session_->select("INBOX", false, [this, name, next](const Completion&) {
            if_ours(name, next, [this, next](const OwnedMailbox& owned) {
              session_->remove(owned, [next](const Completion&) { next(); });
            });
          });
        });
      });
    });
  };
  // Superiors that came with them go as well.
  const auto sweep = [this, list, names, before, refused, made, done] {
    if (*made == 0 && refused->size() == names.size())
      context_.inapplicable(fmt::format("the target refuses all {} names of mailboxes", names.size()));
    else if (session_->over())
      context_.fail("names", fmt::format("the session ended when {} of {} names of mailboxes had been tried",
                                         *made + refused->size(), names.size()));
    else if (*made == 0)
      context_.fail("names", fmt::format("none of {} names of mailboxes could be tried: those that are not refused are "
                                         "there already",
                                         names.size()));
    if (!refused->empty()) {
      auto e = context_.event(Type::obs, What::observed, session_number());
      e.text = fmt::format("{} of {} names of mailboxes are refused:", refused->size(), names.size());
      for (const std::string& name : *refused) e.text += fmt::format(" \"{}\"", name);
      context_.append(std::move(e));
    }
    const auto after = std::make_shared<std::set<std::string>>();
    list(after, [this, names, before, after, done] {
      std::vector<std::string> superiors;
      for (const std::string& name : *after)
        if (!before->contains(name) && std::any_of(names.begin(), names.end(), [&](const std::string& tried) {
              return tried.size() > name.size() && tried.starts_with(name) && !name.empty();
            }))
          superiors.push_back(name);
      one_by_one(
          superiors.size(),
          [this, superiors](std::size_t i, Finish next) {
            if_ours(
                superiors[i], next,
                [this, next](const OwnedMailbox& owned) {
                  session_->remove(owned, [next](const Completion&) { next(); });
                },
                MailboxCheck::Name::is_new);
          },
          done);
    });
  };
  list(before, [names, one, sweep] { one_by_one(names.size(), one, sweep); });
}

/// A backup: everything of ours in the mailbox is fetched whole; the judges compare what came with what was sent. Where
/// nothing was to be had of what may be there, nothing was compared.
void ImapDevice::compare(const std::string& text, Finish done) {
  in_mailbox(box(), [this, &text, done](bool ok) {
    const auto there = may_be_in(box());
    const auto expectation = expect(context_, What::intact,
                                    {.text = text, .messages = there, .mailbox = box(), .session = session_number()});
    const auto over = [this, expectation, done](Type how, std::string why) {
      outcome(context_, What::intact, expectation, how, {}, std::move(why), session_number());
      done();
    };
    const auto refused = [this] {
      const Completion& failure = reader_->failure();
      return fmt::format("nothing was compared: {} {}", failure.status, failure.text);
    };
    if (!ok) return over(Type::info, reader_ == nullptr ? std::string("nothing was compared") : refused());
    if (session_->view().exists == 0)
      return over(there.empty() ? Type::ok : Type::info, "nothing was compared: the mailbox is said to be empty");
    reader_->look_again([this, over, refused](bool looked) {
      if (looked) session_->enumerated(session_->view().exists);
      over(looked ? Type::ok : Type::info, looked ? std::string() : refused());
    });
  });
}

}  // namespace mailproof::play
