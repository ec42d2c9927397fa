#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "play/devices/imap_device.h"
#include "scenario/plan/profile.h"
#include "scenario/story/search_keys.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;
using scenario::How;
using scenario::Verb;

/// The mailbox may be missing: TRYCREATE says so, and a server that gives no codes may mean it (RFC 3501 section 7.1).
bool may_lack_mailbox(const Completion& result) {
  return iequals(result.status, "NO") && (result.code.empty() || iequals(result.code, "TRYCREATE"));
}

const std::vector<std::string> kDeleted = {"\\Deleted"};

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
      return in_mailbox(box(named()), [this, done](bool ok) { ok ? start_idle(done) : done(); });
    case Verb::read:
      return read(step.get<scenario::Read>(), std::move(done));
    case Verb::flag:
    case Verb::unflag:
      return flag(step.get<scenario::Flag>(), step.verb == Verb::flag, std::move(done));
    case Verb::remove:
      return remove(step.get<scenario::Delete>(), std::move(done));
    case Verb::expunge:
      return in_mailbox(box(named()), [this, done](bool ok) { ok ? expunge(done) : done(); });
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
      return online([this, &what = step.get<scenario::Rename>(), done, plain] {
        if_ours(what.mailbox, done,
                [this, &what, plain](const OwnedMailbox& mailbox) { session_->rename(mailbox, what.to, plain); });
      });
    case Verb::remove_mailbox:
      return online([this, &named_mailbox = named(), done, plain] {
        if_ours(named_mailbox, done, [this, plain](const OwnedMailbox& mailbox) { session_->remove(mailbox, plain); });
      });
    case Verb::subscribe:
      return online([this, &mailbox = named(), plain] { session_->subscribe(mailbox, plain); });
    case Verb::search:
      return search(step.get<scenario::Search>(), step.text, std::move(done));
    case Verb::quota:
      return online([this, &mailbox = named(), plain] { session_->quota(mailbox, plain); });
    case Verb::compare:
      return compare(std::move(done));
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
    if (!ok) return done();
    const auto wanted = context_.messages.numbers(what.messages);
    const auto go_on = [this, wanted, done, then](bool) {
      note_undone(wanted);
      const OwnedUids uids = reader_->owned(wanted);
      uids.empty() ? done() : then(uids);
    };
    const bool all = std::all_of(wanted.begin(), wanted.end(), [this](auto m) { return reader_->has(m); });
    if (all) return go_on(true);
    session_->noop([this, go_on](const Completion& result) { result.ok() ? reader_->catch_up(go_on) : go_on(false); });
  });
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
  checks_.back()->look(mailbox, name,
                       [this, mailbox, done = std::move(done), then = std::move(then)](const OwnedMailbox* owned,
                                                                                       const std::string& why) {
                         if (owned != nullptr) return then(*owned);
                         context_.fail("foreign", fmt::format("{} was left as it is: {}", mailbox, why));
                         done();
                       });
}

/// EXPUNGE, which takes whatever bears \Deleted: only where nothing of that is somebody else's. What others mark
/// between that look and the EXPUNGE would go with it, so beside others all of ours is named, where there is UIDPLUS
/// (RFC 4315).
void ImapDevice::expunge(Finish done) {
  const bool beside_others = !context_.options.alone && !context_.options.own_mailboxes;
  if (beside_others && session_->client().has("UIDPLUS")) {
    reader_->catch_up([this, done = std::move(done)](bool ok) {
      const OwnedUids ours = ok ? reader_->ours(MailboxReader::Leftovers::not_these) : OwnedUids{};
      ours.empty() ? done() : session_->expunge(ours, [done](const Completion&) { done(); });
    });
    return;
  }
  reader_->may_expunge([this, done = std::move(done)](const ExpungePermit* permit) {
    if (permit != nullptr) return session_->expunge(*permit, [done](const Completion&) { done(); });
    if (session_->ready())
      context_.fail("foreign",
                    fmt::format("nothing was expunged from {}: it may hold mail that is not ours and is marked "
                                "as deleted",
                                session_->view().mailbox));
    done();
  });
}

/// UID EXPUNGE of these where there is UIDPLUS (RFC 4315).
void ImapDevice::expunge(const OwnedUids& uids, Finish done) {
  if (!session_->client().has("UIDPLUS")) return expunge(std::move(done));
  session_->expunge(uids, [done = std::move(done)](const Completion&) { done(); });
}

void ImapDevice::read(const scenario::Read& read, Finish done) {
  if (read.pieces != 0) return read_in_pieces(read, std::move(done));
  with_messages(read, done, [this, done](const OwnedUids& uids) {
    if (device_.profile != nullptr && !device_.profile->reading.empty()) return show(uids, 0, done);
    session_->fetch(uids, "(UID FLAGS BODY[])", [done](const Completion&) { done(); });
  });
}

/// The steps of its profile to show a message, from this one on.
void ImapDevice::show(const OwnedUids& uids, std::size_t from, Finish done) {
  const auto& steps = device_.profile->reading;
  const auto next = [this, uids, from, done](const Completion& result) {
    result.ok() ? show(uids, from + 1, done) : done();
  };
  if (from >= steps.size()) return done();
  const auto& step = steps[from];
  if (step.ask == scenario::Ask::fetch) return session_->fetch(uids, step.text, next);
  if (step.ask == scenario::Ask::store)
    return session_->store(uids, step.silent ? "+FLAGS.SILENT" : "+FLAGS", {step.text}, next);
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
                                    [next](const Completion&) { next(); });
        },
        done);
  });
}

void ImapDevice::flag(const scenario::Flag& flag, bool set, Finish done) {
  with_messages(flag, done, [this, &flag, set, done](const OwnedUids& uids) {
    session_->store(uids, set ? "+FLAGS" : "-FLAGS", flag.flags, [done](const Completion&) { done(); });
  });
}

void ImapDevice::remove(const scenario::Delete& remove, Finish done) {
  using scenario::Removal;
  const auto* profile = device_.profile.get();
  const How of_profile = profile == nullptr               ? remove.how
                         : profile->how == Removal::trash ? How::trash
                         : profile->how == Removal::flag  ? How::flag
                                                          : How::expunge;
  const bool all = profile != nullptr && profile->how == Removal::expunge_all;
  with_messages(remove, done, [this, how = of_profile, all, done](const OwnedUids& uids) {
    if (how == How::trash) return move(uids, "Trash", done);
    session_->store(uids, "+FLAGS", kDeleted, [this, uids, done, how, all](const Completion& result) {
      if (how == How::flag || !result.ok()) return done();
      all ? expunge(done) : expunge(uids, done);
    });
  });
}

/// MOVE where it is offered, else COPY, STORE and EXPUNGE as clients do (RFC 6851 section 1). A missing folder is made
/// first.
void ImapDevice::move(const OwnedUids& uids, const std::string& to, Finish done) {
  const auto take_away = [this, uids, done] {
    session_->store(uids, "+FLAGS.SILENT", kDeleted,
                    [this, uids, done](const Completion& stored) { stored.ok() ? expunge(uids, done) : done(); });
  };
  const auto attempt = [this, uids, to](std::function<void(const Completion&)> then) {
    session_->client().has("MOVE") ? session_->move(uids, to, std::move(then))
                                   : session_->copy(uids, to, std::move(then));
  };
  const auto attempted = [this, take_away, done](const Completion& result) {
    if (!result.ok() || session_->client().has("MOVE")) return done();
    take_away();
  };
  attempt([this, to, attempt, attempted, done](const Completion& result) {
    if (!may_lack_mailbox(result)) return attempted(result);
    session_->create(
        to, [attempt, attempted, done](const Completion& created) { created.ok() ? attempt(attempted) : done(); });
  });
}

/// COPY; a missing folder is made first (RFC 3501 section 6.4.7).
void ImapDevice::copy(const OwnedUids& uids, const std::string& to, Finish done) {
  session_->copy(uids, to, [this, uids, to, done](const Completion& result) {
    if (!may_lack_mailbox(result)) return done();
    session_->create(to, [this, uids, to, done](const Completion& created) {
      if (!created.ok()) return done();
      session_->copy(uids, to, [done](const Completion&) { done(); });
    });
  });
}

/// Names that a server may refuse. What it makes is listed, opened and removed again; of that the judges think.
void ImapDevice::try_names(const std::vector<std::string>& names, Finish on) {
  // What it knew of its mailbox is not known any more once others were selected.
  const Finish done = [this, on = std::move(on)] { reader_->open("INBOX", false, [on](bool) { on(); }); };
  const auto before = std::make_shared<std::set<std::string>>();
  const auto refused = std::make_shared<std::vector<std::string>>();
  const auto list = [this](std::shared_ptr<std::set<std::string>> into, std::function<void()> then) {
    session_->hooks.list = [into](const session::ImapListRow& row) { into->emplace(row.name); };
    session_->list([this, then = std::move(then)](const Completion&) {
      session_->hooks.list = {};
      then();
    });
  };
  const auto one = [this, list, names, before, refused](std::size_t i, Finish next) {
    const std::string& name = names[i];
    if (session_->over() || before->contains(name)) return next();
    session_->create(name, [this, list, name, refused, next](const Completion& created) {
      if (!created.ok()) {
        refused->push_back(name);
        return next();
      }
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
  const auto sweep = [this, list, names, before, refused, done] {
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

void ImapDevice::save(const scenario::Save& save, Finish done) {
  one_by_one(
      static_cast<std::size_t>(save.count),
      [this, &save](std::size_t, Finish next) {
        const std::string& address = context_.accounts.at(account_ - 1).address;
        const auto made = context_.messages.make(save, account_, address, address);
        put(save.to, made.number, made.text, std::move(next));
      },
      std::move(done));
}

/// Mail that the client has kept goes back to the server, the same octets.
void ImapDevice::upload(const scenario::Upload& upload, Finish done) {
  const auto messages = context_.messages.numbers(upload.messages);
  one_by_one(
      messages.size(),
      [this, &upload, messages](std::size_t i, Finish next) {
        put(upload.to, messages[i], context_.messages.again(messages[i]), std::move(next));
      },
      std::move(done));
}

/// APPEND; a missing mailbox is made first (RFC 3501 section 6.3.11).
void ImapDevice::put(const std::string& to, std::uint32_t message, std::shared_ptr<const std::string> text,
                     Finish done) {
  session_->append(to, message, text, [this, to, message, text, done](const Completion& result) {
    if (!may_lack_mailbox(result)) return done();
    session_->create(to, [this, to, message, text, done](const Completion&) {
      session_->append(to, message, text, [done](const Completion&) { done(); });
    });
  });
}

void ImapDevice::search(const scenario::Search& what, const std::string& text, Finish done) {
  in_mailbox(box(what.mailbox), [this, &what, &text, done](bool ok) {
    const auto wanted = what.finds ? context_.messages.numbers(*what.finds) : std::vector<std::uint32_t>{};
    const auto expectation =
        expect(context_, What::found,
               {.text = text, .messages = wanted, .mailbox = what.mailbox, .session = session_number()});
    if (!ok) {
      outcome(context_, What::found, expectation, Type::info, {}, "the mailbox could not be opened", session_number());
      return done();
    }
    auto found = std::make_shared<imap::SequenceSet>();
    session_->hooks.search = [found](const imap::SequenceSet& uids) {
      for (const auto& [first, last] : uids.ranges()) found->add(first, last);
    };
    const bool standard = scenario::read_search_keys(what.keys).standard;
    session_->search(what.keys, [this, standard, wanted, expectation, found, done](const Completion& result) {
      session_->hooks.search = {};
      if (!result.ok() && session_->over()) {
        outcome(context_, What::found, expectation, Type::info, {}, ended_by_server(session_->end()), session_number());
        return done();
      }
      if (result.outcome == session::Outcome::fail) {
        // Nothing was found, and nothing was not found. What an extension asks for a server may refuse.
        outcome(context_, What::found, expectation, standard ? Type::fail : Type::info, {},
                fmt::format("the server answered {} {}", result.status, result.text), session_number(), "refused");
        return done();
      }
      // What came in meanwhile is looked at first: what is not ours may match, too.
      reader_->catch_up([this, wanted, expectation, found, result, done](bool) {
        std::vector<std::uint32_t> wrong;
        found->normalise();
        for (const auto message : wanted) {
          const auto uids = reader_->uids_of({message});
          const bool hit = std::any_of(uids.begin(), uids.end(), [&](auto uid) { return found->covers(uid); });
          if (!hit) wrong.push_back(message);
        }
        std::uint64_t extra = found->count();
        for (const auto& [uid, item] : reader_->items()) {
          const bool expected = std::find(wanted.begin(), wanted.end(), item.message) != wanted.end();
          const bool not_ours = item.looked_at && item.message == 0;
          if ((expected || not_ours) && found->covers(uid)) --extra;
        }
        const bool good = result.ok() && wrong.empty() && extra == 0;
        outcome(context_, What::found, expectation,
                result.outcome == session::Outcome::info ? Type::info
                : good                                   ? Type::ok
                                                         : Type::fail,
                wrong, fmt::format("{} not found, {} found beyond", wrong.size(), extra), session_number());
        done();
      });
    });
  });
}

/// A backup: everything of ours in the mailbox is fetched whole; the judges compare what came with what was sent.
void ImapDevice::compare(Finish done) {
  in_mailbox(box(), [this, done](bool ok) {
    if (!ok || session_->view().exists == 0) return done();
    reader_->look_again([this, done](bool looked) {
      if (looked) session_->enumerated(session_->view().exists);
      done();
    });
  });
}

}  // namespace mailproof::play
