#include "play/devices/pop3_device.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "history/not_now.h"
#include "play/devices/cut_short.h"

namespace mailproof::play {

using history::Type;
using history::What;
using scenario::AfterDownload;
using scenario::Cut;
using scenario::Verb;
using Which = scenario::Download::Which;

RecordedPop3& Pop3Device::begin_session(const Endpoint& endpoint, const std::string& mechanism) {
  sessions_.push_back(
      std::make_unique<RecordedPop3>(context_, number_, account_, 0, endpoint, mechanism, device_.profile.get()));
  session_ = sessions_.back().get();
  listed_ = false;
  marked_.clear();
  return *session_;
}

/// A login in so many words: a new session, which the server may refuse where the scenario says so. One without TLS is
/// given up again at once.
void Pop3Device::connect(const scenario::Connect& connect, const std::string& text, Finish done) {
  const auto welcome = std::make_shared<Welcome>(context_, connect, text);
  const std::string mechanism = connect.plaintext ? "USER" : "";
  if (session_ == nullptr || !session_->ready()) return connect_by(mechanism, connect, welcome, std::move(done));
  session_->quit(
      [this, mechanism, &connect, welcome, done](const Completion&) { connect_by(mechanism, connect, welcome, done); });
}

/// Without TLS USER and PASS are one way to send the password, and AUTH PLAIN another, where that is offered.
void Pop3Device::connect_by(const std::string& mechanism, const scenario::Connect& connect,
                            const std::shared_ptr<Welcome>& welcome, Finish done) {
  RecordedPop3& session = begin_session(welcome->endpoint(Protocol::pop3, device_.tls), mechanism);
  session.open([this, mechanism, &connect, &session, welcome, done](const Completion& result) {
    if (!session.too_long().empty()) context_.inapplicable(session.too_long());
    if (!result.ok() && connect.expect == scenario::Welcome::accepted && not_free_yet())
      return later([this, mechanism, &connect, welcome, done] { connect_by(mechanism, connect, welcome, done); });
    if (!result.ok() && mechanism == "USER" && Welcome::said_no(session.end()) && offers_plain())
      return connect_by("PLAIN", connect, welcome, done);
    welcome->came(session.number(), result.ok() ? nullptr : &session.end(), device_.name);
    if (!result.ok()) return done();
    const auto on = [done](const Completion&) { done(); };
    connect.plaintext ? session.quit(on) : session.stat(on);
  });
}

void Pop3Device::connected(Then then) {
  if (session_ != nullptr && session_->ready()) return then(true);
  begin_session(*context_.endpoint(Protocol::pop3, device_.tls))
      .open([this, then = std::move(then)](const Completion& result) {
        if (!result.ok() && not_free_yet()) return later([this, then] { connected(then); });
        if (!result.ok()) not_let_in(result.text);
        then(result.ok());
      });
}

/// A server may want more time between two logins than a story has: that is no error of anybody's.
void Pop3Device::not_let_in(const std::string& why) {
  session_->too_long().empty() ? context_.fail("connect", device_.name + ": " + why)
                               : context_.inapplicable(session_->too_long());
}

bool Pop3Device::had_it(std::uint32_t session) const {
  const auto& events = context_.history.events();
  return std::any_of(events.begin(), events.end(), [session](const history::Event& e) {
    return e.session == session && e.what == What::connect && e.type == Type::ok;
  });
}

/// The login was refused, and a session of the scenario had this maildrop a moment ago. One that ended without QUIT the
/// server may not have noticed yet; and after QUIT it replies, "then releases any exclusive-access lock on the maildrop
/// and closes the TCP connection" (RFC 1939 section 6). There is no time given for either. It is asked again, as
/// clients do, until the maildrop should be free; each refusal is in the history, and the judge of locks looks at them.
bool Pop3Device::not_free_yet() const {
  const session::Ended& end = session_->end();
  if (!end.login_refused || end.broken || !session_->too_long().empty()) return false;
  const bool in_use = history::pop3_says_in_use(end.seen);
  const auto& history = context_.history;
  const Time since = context_.network.now() - context_.scaled(context_.target.settle);
  for (auto e = history.events().rbegin(); e != history.events().rend() && e->at >= since; ++e) {
    if (e->what != What::end || e->session == 0 || (e->flags == "clean" && !in_use)) continue;
    const auto& left = history.session(e->session);
    if (left.protocol == Protocol::pop3 && left.account == account_ && had_it(e->session)) return true;
  }
  return false;
}

void Pop3Device::later(Finish then) {
  alarm_ = std::move(then);
  context_.network.set_alarm(*this, context_.network.now() + kLookEvery);
}

void Pop3Device::listed(Then then) {
  connected([this, then = std::move(then)](bool ok) {
    if (!ok || listed_) return then(ok);
    session_->stat([this, then](const Completion& stat) {
      if (!stat.ok()) return then(false);
      if (session_->messages() == 0) {
        listed_ = true;
        return then(true);
      }
      session_->list([this, then](const Completion& list) {
        if (!list.ok()) return then(false);
        if (!session_->client().has("UIDL")) {
          listed_ = true;
          return then(true);
        }
        session_->uidl([this, then](const Completion& uidl) {
          // RFC 1939 section 7: it is optional. A server without CAPA does not say whether it has it until it is asked.
          const bool not_offered = uidl.outcome == session::Outcome::fail && !session_->over() && !announces("UIDL");
          listed_ = uidl.ok() || not_offered;
          then(listed_);
        });
      });
    });
  });
}

void Pop3Device::download(const scenario::Download& download, const std::string& text, Finish done) {
  const bool named = download.which == Which::named;
  const auto wanted = named ? context_.messages.numbers(download.messages) : std::vector<std::uint32_t>{};
  const auto expectation =
      expect(context_, What::downloaded,
             {.text = text, .messages = wanted, .session = session_ != nullptr ? session_->number() : 0});
  listed([this, &download, named, wanted, expectation, done = std::move(done)](bool ok) {
    if (!ok) {
      note_undone({});
      outcome(context_, What::downloaded, expectation, Type::info, wanted, "the maildrop could not be listed",
              session_->number());
      return done();
    }
    auto job = std::make_shared<Job>();
    job->wanted = {wanted.begin(), wanted.end()};
    job->only_wanted = named;
    job->after = download.after.value_or(device_.after);
    if (job->after.policy == AfterDownload::Policy::remove_after && without_unique_ids()) {
      context_.inapplicable(fmt::format(
          "{} keeps mail for days, and knows it again by UIDL (RFC 1939 section 7), which the target does not offer",
          device_.name));
      return done();
    }
    for (const auto& [number, entry] : session_->entries()) {
      const bool old = !entry.uidl.empty() && downloaded_.contains(entry.uidl);
      if (download.which == Which::fresh && old) continue;
      job->todo.push_back(number);
    }
    std::vector<std::uint32_t> old;
    if (job->after.policy == AfterDownload::Policy::remove_after)
      for (const auto& [number, entry] : session_->entries()) {
        const auto first = downloaded_.find(entry.uidl);
        if (first != downloaded_.end() && today() - first->second >= job->after.age) old.push_back(number);
      }
    download_all(job, [this, &as = download.as, expectation, job, old, done] {
      finished(as, expectation, *job);
      session_->look_at(old, [this, old, done] {
        dele_all(old, [this, old, done] {
          std::vector<std::uint32_t> expired;
          for (const auto number : old)
            if (session_->message(number) != 0) expired.push_back(session_->message(number));
          note_cut_short(std::move(expired));
          done();
        });
      });
    });
  });
}

/// The header first: a body without our token is not fetched.
void Pop3Device::download_all(const std::shared_ptr<Job>& job, Finish done) {
  one_by_one(
      job->todo.size(),
      [this, job](std::size_t i, Finish next) {
        if (session_->over()) return next();
        const std::uint32_t number = job->todo[i];
        session_->look_at({number}, [this, job, number, next = std::move(next)] {
          const bool skip = job->only_wanted && !job->wanted.contains(session_->message(number));
          skip ? next() : fetch_body(job, number, next);
        });
      },
      std::move(done));
}

void Pop3Device::fetch_body(const std::shared_ptr<Job>& job, std::uint32_t number, Finish done) {
  const auto owned = session_->owned(number);
  if (!owned) return done();
  session_->retr(*owned, [this, job, number, done = std::move(done)](const Completion& result) {
    const std::uint32_t message = session_->message(number);
    note_not_now(message, "RETR", result);
    if (!result.ok()) {
      const bool later = history::pop3_says_not_now(result.code, result.text);
      if (later) job->not_now = result.text;
      const bool marked = std::find(marked_.begin(), marked_.end(), message) != marked_.end();
      if (message == 0 || later || marked) return done();
      job->refused.push_back(message);
      // RFC 1939 knows no codes: one that stops says -ERR and hangs up, which is known when it is asked once more.
      if (session_->over()) return done();
      return session_->stat([done](const Completion&) { done(); });
    }
    const std::string& uidl = session_->uidl(number);
    if (message != 0) job->got.push_back(message);
    if (!uidl.empty()) downloaded_.try_emplace(uidl, today());
    if (job->after.policy != AfterDownload::Policy::remove) return done();
    dele_all({number}, done);
  });
}

bool Pop3Device::offers_plain() const {
  const auto& lines = session_->client().capabilities();
  return std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
    const std::string words = upper(line) + " ";
    return words.starts_with("SASL ") && words.find(" PLAIN ") != std::string::npos;
  });
}

bool Pop3Device::announces(std::string_view capability) const {
  const auto& lines = session_->client().capabilities();
  return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) { return iequals(line, capability); });
}

bool Pop3Device::without_unique_ids() const {
  const auto& entries = session_->entries();
  return !entries.empty() &&
         std::all_of(entries.begin(), entries.end(), [](const auto& entry) { return entry.second.uidl.empty(); });
}

/// What was not got was not asked for either: nothing that was to come of it is owed.
void Pop3Device::note_undone(const std::vector<std::uint32_t>& got) {
  std::vector<std::uint32_t> missing;
  for (std::uint32_t message = 1; message <= context_.history.messages().size(); ++message)
    if (std::find(got.begin(), got.end(), message) == got.end()) missing.push_back(message);
  undone(context_, missing, session_->number(),
         cut_short(session_->end()) ? ended_by_server(session_->end())
         : listed_                  ? ""
                                    : "the maildrop could not be listed");
}

/// RFC 3206 section 4: it is the server's system that has a trouble, so that what was to come of it is not owed.
void Pop3Device::note_not_now(std::uint32_t message, std::string_view command, const Completion& result) {
  if (message != 0 && result.outcome == session::Outcome::fail && history::pop3_says_not_now(result.code, result.text))
    undone(context_, {message}, session_->number(), fmt::format("{} was answered {}", command, result.text));
}

/// A maildrop may be read-only: DELE has -ERR among its replies (RFC 1939 section 5). What was not marked stays, and
/// nobody owes its removal.
void Pop3Device::note_not_marked(std::uint32_t message, const Completion& result) {
  if (message == 0 || result.outcome != session::Outcome::fail || session_->over()) return;
  std::erase(marked_, message);
  undone(context_, {message}, session_->number(), fmt::format("DELE was answered {}", result.text), "refused-removal");
}

/// The server ended the session before QUIT was answered: what it had marked, and what was still to be marked, nobody
/// asked to remove (RFC 1939 section 6).
void Pop3Device::note_cut_short(std::vector<std::uint32_t> wanted) {
  if (session_ == nullptr || !cut_short(session_->end())) return;
  const auto marked = std::exchange(marked_, {});
  wanted.insert(wanted.end(), marked.begin(), marked.end());
  undone(context_, wanted, session_->number(), ended_by_server(session_->end()));
}

/// How many of these it was not told whose they are: they are left alone.
std::size_t Pop3Device::unseen(const std::vector<std::uint32_t>& numbers) const {
  return static_cast<std::size_t>(std::count_if(numbers.begin(), numbers.end(), [this](auto number) {
    return !session_->looked_at(number) && !session_->owned(number);
  }));
}

std::string Pop3Device::left_alone(std::size_t some, std::size_t of) const {
  return fmt::format("{} of {} messages were left alone: whose they are is seen by TOP, which {}", some, of,
                     session_->client().has("TOP") ? "was refused" : "is not offered");
}

void Pop3Device::finished(const std::string& as, std::uint32_t expectation, const Job& job) {
  std::vector<std::uint32_t> missing;
  for (const auto message : job.wanted)
    if (std::find(job.got.begin(), job.got.end(), message) == job.got.end()) missing.push_back(message);
  // RFC 1939 section 5: a message that has a number can be had; "no such message" is said of others.
  if (!job.only_wanted) missing.insert(missing.end(), job.refused.begin(), job.refused.end());
  const bool broken = session_->over(), put_off = missing.empty() && !job.not_now.empty();
  const std::size_t alone = unseen(job.todo);
  if (broken || alone != 0) note_undone(job.got);
  if (!broken && alone != 0) {
    outcome(context_, What::downloaded, expectation, Type::info, missing, left_alone(alone, job.todo.size()),
            session_->number());
  } else {
    outcome(context_, What::downloaded, expectation,
            broken             ? Type::info
            : !missing.empty() ? Type::fail
            : put_off          ? Type::info
                               : Type::ok,
            missing,
            fmt::format("{} of {} messages downloaded{}", job.got.size(), job.todo.size(),
                        put_off ? "; RETR was answered " + job.not_now : std::string()),
            session_->number());
  }
  if (!as.empty()) context_.messages.define(as, job.got);
}

void Pop3Device::remove(const scenario::MessageRef& messages, Finish done) {
  listed([this, &messages, done = std::move(done)](bool ok) {
    const auto wanted = context_.messages.numbers(messages);
    const Finish finish = [this, wanted, done] {
      note_cut_short(wanted);
      done();
    };
    if (!ok) {
      if (session_->over()) return finish();
      undone(context_, wanted, session_->number(), "the maildrop could not be listed");
      return done();
    }
    session_->look_at(session_->numbers(), [this, wanted, finish] {
      std::vector<std::uint32_t> numbers, missing = wanted;
      for (const auto& [number, entry] : session_->entries())
        if (entry.message != 0 && std::erase(missing, entry.message) != 0) numbers.push_back(number);
      // One of those that nobody saw may be it: no DELE was sent, so its removal is not owed.
      const std::size_t alone = session_->over() ? 0 : unseen(session_->numbers());
      if (alone != 0) undone(context_, missing, session_->number(), left_alone(alone, session_->numbers().size()));
      dele_all(std::move(numbers), finish);
    });
  });
}

/// Of these, what is ours.
void Pop3Device::dele_all(std::vector<std::uint32_t> numbers, Finish done) {
  const std::size_t count = numbers.size();
  one_by_one(
      count,
      [this, numbers = std::move(numbers)](std::size_t i, Finish next) {
        const auto owned = session_->owned(numbers[i]);
        if (session_->over() || !owned) return next();
        if (const auto message = session_->message(numbers[i]); message != 0) marked_.push_back(message);
        session_->dele(*owned, [this, message = session_->message(numbers[i]), next](const Completion& result) {
          note_not_marked(message, result);
          next();
        });
      },
      std::move(done));
}

void Pop3Device::quit(const Cut& cut, Finish done) {
  if (session_ == nullptr || !session_->ready()) return done();  // what was marked in it is not owed: note_cut_short()
  LinkFaults faults;
  if (cut.when == Cut::When::before_reply) faults.cut_after_received = 1;
  if (cut.when == Cut::When::after_bytes) faults.cut_after_sent = cut.bytes;
  if (cut.when != Cut::When::none) session_->misbehave(faults);
  session_->quit([this, done = std::move(done)](const Completion& result) {
    if (result.outcome == session::Outcome::fail && !result.text.empty())
      undone(context_, marked_, session_->number(), "QUIT was answered " + result.text);
    if (result.outcome != session::Outcome::info) marked_.clear();
    done();
  });
}

void Pop3Device::perform(const scenario::Step& step, Finish on) {
  const Finish done = [this, on = std::move(on)] {
    if (!marked_.empty()) note_cut_short({});
    on();
  };
  switch (step.verb) {
    case Verb::connect:
      return connect(step.get<scenario::Connect>(), step.text, done);
    case Verb::smuggle:
      smuggles_.push_back(std::make_unique<Smuggle>(context_, number_, account_,
                                                    *context_.endpoint(Protocol::pop3, TlsMode::starttls),
                                                    step.get<scenario::Smuggle>().command, done));
      return;
    case Verb::advance:
      calendar_ += step.get<scenario::LetPass>().span;
      return done();
    case Verb::vanish:
      if (session_ != nullptr) session_->drop(true);
      downloaded_.clear();
      vanish(context_, device_.name);
      return done();
    case Verb::list:
      listed_ = false;  // asked for in so many words: once more, also in a session that has its list
      return listed([done](bool) { done(); });
    case Verb::download:
      return download(step.get<scenario::Download>(), step.text, done);
    case Verb::compare: {
      return listed([this, done](bool ok) {
        if (!ok) return done();
        auto job = std::make_shared<Job>();
        job->todo = session_->numbers();
        download_all(job, [this, done] {
          if (!session_->over()) session_->enumerated();
          done();
        });
      });
    }
    case Verb::see: {
      const auto& await = step.get<scenario::Await>();
      const Duration bound = context_.scaled(await.within);
      const Time now = context_.network.now();
      const auto wanted = context_.messages.numbers(await.messages);
      const auto expectation = expect(context_, What::see, {.text = step.text, .messages = wanted, .bound = bound});
      return see({wanted, expectation, now, bound, now + context_.enough(bound), context_.scaled(await.stays), done});
    }
    case Verb::remove:
      return remove(step.get<scenario::Delete>().messages, done);
    case Verb::reset:
      return connected([this, done](bool ok) {
        if (!ok) return done();
        session_->rset([this, done](const Completion& result) {
          if (result.ok()) marked_.clear();
          done();
        });
      });
    case Verb::quit:
      return quit(step.get<scenario::Quit>().cut, done);
    case Verb::drop:
      if (session_ != nullptr) session_->drop(true);
      return done();
    default:
      break;
  }
  context_.fail("verb", fmt::format("{} cannot {}", device_.name, name(step.verb)));
  done();
}

std::unique_ptr<Actor> make_pop3_device(Context& context, const scenario::Scenario& scenario, std::uint32_t device) {
  return std::make_unique<Pop3Device>(context, scenario.devices.at(device - 1), device);
}

}  // namespace mailproof::play
