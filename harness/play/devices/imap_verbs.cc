#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "core/bytes.h"
#include "history/flags.h"
#include "history/not_now.h"
#include "play/devices/imap_device.h"
#include "scenario/plan/profile.h"
#include "scenario/story/search_keys.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;
using scenario::Verb;

bool matters_to_search(What what) { return may_take(what) || adds(what) || what == What::fetch || what == What::retr; }

/// Of what changes without a message coming or going: what a SEARCH goes by.
struct GoesBy {
  bool flags = false;
  bool seen = false;  ///< also \Seen, which reading sets
};
GoesBy goes_by(std::string_view keys) {
  // Nobody knows here what an extension goes by: MODSEQ does by all flags.
  if (!scenario::read_search_keys(keys).standard) return {true, true};
  constexpr std::string_view flags[] = {"ANSWERED", "UNANSWERED", "DELETED",   "UNDELETED", "DRAFT",
                                        "UNDRAFT",  "FLAGGED",    "UNFLAGGED", "KEYWORD",   "UNKEYWORD",
                                        "SEEN",     "UNSEEN",     "NEW",       "OLD",       "RECENT"};
  constexpr std::string_view seen[] = {"SEEN", "UNSEEN", "NEW"};
  GoesBy out;
  bool quoted = false;
  for (std::size_t at = 0; at < keys.size();) {
    const std::size_t end = std::min(keys.find_first_of(" ()\"", at), keys.size());
    const auto is = [word = keys.substr(at, end - at)](std::string_view key) { return iequals(word, key); };
    if (!quoted) out.flags = out.flags || std::any_of(std::begin(flags), std::end(flags), is);
    if (!quoted) out.seen = out.seen || std::any_of(std::begin(seen), std::end(seen), is);
    if (end < keys.size() && keys[end] == '"') quoted = !quoted;
    at = end + 1;
  }
  return out;
}

/// Deliveries that are under way. Whom one is for its answers tell.
class Delivering {
 public:
  void begins(const history::Event& e) { under_way_.emplace(e.session, e.index); }
  /// What was refused for one recipient at once leaves the others; what comes behind it in its session tells that it is
  /// over.
  void answered(const history::Event& e) {
    const bool others = e.flags.find("at-rcpt") != std::string::npos;
    if (e.session == 0)
      under_way_.erase({0, e.command});
    else
      under_way_.erase(under_way_.lower_bound({e.session, 0}), others ? under_way_.lower_bound({e.session, e.command})
                                                                      : under_way_.upper_bound({e.session, e.command}));
  }
  void ends(std::uint32_t session) {
    under_way_.erase(under_way_.lower_bound({session, 0}), under_way_.lower_bound({session + 1, 0}));
  }
  bool any() const { return !under_way_.empty(); }

 private:
  std::set<std::pair<std::uint32_t, std::uint32_t>> under_way_;  ///< session and invoke
};

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
    // What others changed since it was told last a server need not go by yet (RFC 2180 section 4.3, RFC 3501 section
    // 5.2).
    if (stale(matters_to_search))
      session_->noop([this, &what, wanted, expectation, done](const Completion&) {
        reader_->catch_up([this, &what, wanted, expectation, done](bool) { find(what, wanted, expectation, done); });
      });
    else
      find(what, wanted, expectation, done);
  });
}

/// Whether another session of the account did, or asked for, what matters to this search since there were so many
/// events, or whether something of that has no answer. What reads, and was cut, is done when this session asks the next
/// time.
bool ImapDevice::others_act_since(std::size_t events, std::string_view keys) const {
  const auto& history = context_.history;
  const GoesBy by = goes_by(keys);
  std::set<std::uint32_t> open, cut;  // commands: not answered; of these what reads, and its session is over
  std::set<std::uint32_t> reads;      // POP3 sessions whose QUIT changes something
  Delivering delivering;
  for (const history::Event& e : history.events()) {
    if (e.what == What::deliver) {
      if (e.type == Type::invoke) {
        delivering.begins(e);
        continue;
      }
      delivering.answered(e);
      if (e.account != account_ || e.type == Type::fail) continue;
      if (e.index > events) return true;
      if (e.type == Type::info) open.insert(e.command);
      continue;
    }
    if (e.what == What::end) delivering.ends(e.session);
    if (e.session == session_number()) {
      const bool asks = e.what == What::noop || e.what == What::select || e.what == What::examine;
      if (asks && e.type == Type::ok && e.index <= events) cut.erase(cut.begin(), cut.lower_bound(e.command));
      continue;
    }
    if (history.account_of(e) != account_) continue;
    if (e.what == What::retr || e.what == What::dele) reads.insert(e.session);
    const history::Event& asked = e.command != 0 ? history.event(e.command) : e;
    const bool takes = e.what == What::store  ? by.flags || history::has_deleted(asked.flags)
                       : e.what == What::quit ? reads.contains(e.session)
                                              : may_take(e.what) || adds(e.what);
    const bool looks = by.seen && (e.what == What::retr || (e.what == What::fetch && history::sets_seen(asked.text)));
    if (!takes && !looks) continue;
    if (e.index > events) return true;
    if (e.type == Type::invoke) open.insert(e.index);
    if (e.type == Type::ok || e.type == Type::fail) open.erase(e.command);
    if (e.type == Type::info && looks && open.erase(e.command) != 0) cut.insert(e.index);
  }
  return !open.empty() || !cut.empty() || delivering.any();
}

void ImapDevice::find(const scenario::Search& what, std::vector<std::uint32_t> wanted, std::uint32_t expectation,
                      Finish done) {
  const std::size_t begun = context_.history.events().size();
  auto found = std::make_shared<imap::SequenceSet>();
  session_->hooks.search = [found](const imap::SequenceSet& uids) {
    for (const auto& [first, last] : uids.ranges()) found->add(first, last);
  };
  const bool standard = scenario::read_search_keys(what.keys).standard;
  session_->search(what.keys, [this, &what, begun, standard, wanted, expectation, found,
                               done](const Completion& result) {
    session_->hooks.search = {};
    if (!result.ok() && session_->over()) {
      outcome(context_, What::found, expectation, Type::info, {}, ended_by_server(session_->end()), session_number());
      return done();
    }
    if (result.outcome == session::Outcome::fail) {
      // Nothing was found, and nothing was not found. What an extension asks for a server may refuse, and whatever it
      // cannot do now.
      const bool owed = standard && !history::says_not_now(result.code);
      outcome(context_, What::found, expectation, owed ? Type::fail : Type::info, {},
              fmt::format("the server answered {} {}", result.status, result.text), session_number(), "refused");
      return done();
    }
    // What came in meanwhile is looked at first: what is not ours may match, too.
    reader_->catch_up([this, &what, begun, wanted, expectation, found, result, done](bool) {
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
      const bool unclear = result.outcome == session::Outcome::info || (!good && others_act_since(begun, what.keys));
      outcome(context_, What::found, expectation,
              unclear ? Type::info
              : good  ? Type::ok
                      : Type::fail,
              wrong,
              fmt::format("{} not found, {} found beyond{}", wrong.size(), extra,
                          unclear && result.ok() ? ", while others changed what is in the mailbox" : ""),
              session_number());
      done();
    });
  });
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
