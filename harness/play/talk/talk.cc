#include "play/talk/talk.h"

#include <fmt/format.h>

#include <charconv>

#include "core/pattern.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;
using Op = scenario::TalkLine::Op;

}  // namespace

Talk::Talk(Context& context, const scenario::Scenario& scenario, Deliver deliver, LookInside look_inside)
    : context_(context),
      scenario_(scenario),
      check_(*scenario.check),
      deliver_(std::move(deliver)),
      look_inside_(std::move(look_inside)) {}

Talk::~Talk() { context_.network.set_alarm(*this, std::nullopt); }

Duration Talk::bound() const { return context_.scaled(within_.value_or(kBound)); }

/// Goes on soon, on the loop's own time: what tells us that something came must not be destroyed by what we do.
void Talk::again() { context_.network.set_alarm(*this, context_.network.now()); }

void Talk::play(Finish done) {
  give_addresses();
  done_ = std::move(done);
  run();
}

void Talk::ring(Time now) {
  if (looked_) return looking(now);
  if (!over_ && done_) run();
}

/// How the check's own mailboxes are called is asked before its first line. False: not yet, or the check is over.
bool Talk::name_own_mailboxes() {
  const Endpoint* endpoint = context_.endpoint(Protocol::imap);
  if (endpoint == nullptr) {
    not_applicable("the target has no such endpoint");
    end();
    return false;
  }
  // A run asks once an account.
  Learnt* const learnt = context_.options.learnt;
  const std::string account = fmt::format("{} {}", endpoint->label(), context_.accounts.front().login);
  if (const auto known = learnt == nullptr ? std::nullopt : learnt->hierarchy(account)) return use_names(*known);
  if (!own_mailboxes_) {
    const auto session = context_.new_session(kClient, Protocol::imap, 1, 0, *endpoint, "naming");
    own_mailboxes_ = std::make_unique<OwnMailboxes>(context_, session, *endpoint);
    own_mailboxes_->connection().changed = [this] { again(); };
    own_until_ = context_.network.now() + context_.scaled(kBound);
    own_mailboxes_->connection().open(*endpoint);
  }
  const bool late = context_.network.now() >= own_until_;
  if (!own_mailboxes_->go_on() && !late) {
    context_.network.set_alarm(*this, own_until_);
    return false;
  }
  std::string problem = own_mailboxes_->problem();
  if (late && !own_mailboxes_->leaving() && problem.empty())
    problem = fmt::format("no answer within {}", format_duration(context_.scaled(kBound)));
  own_mailboxes_->connection().leave();
  if (!problem.empty()) {
    context_.fail("connect", "how the server names mailboxes could not be asked: " + problem);
    end();
    return false;
  }
  if (learnt != nullptr) learnt->hierarchy(account, own_mailboxes_->hierarchy());
  return use_names(own_mailboxes_->hierarchy());
}

/// False: the check cannot be played with them, and is over.
bool Talk::use_names(const Hierarchy& hierarchy) {
  own_ = own_names(hierarchy, own_mailbox_name(context_.messages), check_.own);
  if (own_.empty()) not_applicable("the server has no hierarchy of mailboxes");
  variables_.values = own_;
  variables_.values.insert(check_.given.begin(), check_.given.end());
  give_addresses();
  if (own_.empty()) end();
  return !own_.empty();
}

void Talk::run() {
  if (!check_.own.empty() && own_.empty() && !name_own_mailboxes()) return;
  while (!over_) {
    if (!context_.problem.empty()) return end();
    if (next_ >= check_.talk.size()) {
      if (++round_ >= check_.repeat) return end();
      for (auto& entry : lines_) leave(std::move(entry.second));
      lines_.clear();
      next_ = 0;
      variables_.values = own_;
      variables_.values.insert(check_.given.begin(), check_.given.end());
      give_addresses();
      continue;
    }
    const scenario::TalkLine& line = check_.talk[next_];
    look_at_.reset();
    const auto known = lines_.find(line.connection);
    if (known != lines_.end() && known->second.skipped && line.op != Op::connect) {
      next();
      continue;
    }
    Came came = Came::ended;
    try {
      came = step(line);
    } catch (const PatternTrouble& trouble) {  // whether what came is right is not known: nobody is accused
      context_.fail("pattern", fmt::format("line {}, {}: {}", line.line, line.written, trouble.what()));
    }
    if (came == Came::ended) return end();
    if (came == Came::blocked) {
      if (look_at_) context_.network.set_alarm(*this, *look_at_);
      return;
    }
  }
}

/// For whoever reads what led to a finding: as it is written, so that no password stands there.
void Talk::done(const Line& at, const scenario::TalkLine& line) {
  auto e = context_.event(Type::obs, What::talk, at.connection->session());
  e.text = line.written;
  context_.append(std::move(e));
}

void Talk::next() {
  ++next_;
  begun_ = false;
  times_ = 0;
}

void Talk::end() {
  if (std::exchange(over_, true)) return;
  context_.network.set_alarm(*this, std::nullopt);
  for (auto& entry : lines_) entry.second.connection->drop(false);
  for (Line& line : past_) line.connection->drop(false);
  for (auto& look : own_looks_) look->drop();
  if (auto done = std::exchange(done_, {})) done();
}

void Talk::leave(Line line) {
  line.connection->leave();
  line.untagged.clear();
  past_.push_back(std::move(line));
}

Talk::Came Talk::open(int number, const scenario::TalkConnect& how) {
  if (const auto known = lines_.find(number); known != lines_.end()) {
    leave(std::move(known->second));
    lines_.erase(known);
  }
  const Endpoint* endpoint = talk_endpoint(context_.target, how);
  if (endpoint == nullptr) {
    not_applicable("the target has no such endpoint");
    return Came::ended;
  }
  Line& at = lines_[number];
  at.endpoint = endpoint;
  at.how = how;
  at.number = number;
  at.opened = context_.network.now();
  return reopen(at);
}

Talk::Came Talk::reopen(Line& at) {
  at.attempt = context_.network.now();
  Endpoint endpoint = *at.endpoint;
  endpoint.tls_max = at.how.tls_max;
  const auto session = context_.new_session(kClient, at.how.protocol, static_cast<std::uint32_t>(at.how.account + 1), 0,
                                            endpoint, fmt::format("connection-{}", at.number));
  if (at.connection) {
    Line old;
    old.connection = std::move(at.connection);
    old.bring_up = std::move(at.bring_up);
    leave(std::move(old));
  }
  at.connection = std::make_unique<TalkConnection>(context_, session, at.how.protocol);
  at.bring_up = std::make_unique<TalkBringUp>(context_, *at.connection, at.how, *at.endpoint);
  at.connection->changed = [this] { again(); };
  at.connection->open(endpoint);
  return Came::on;
}

/// Brings the connection to where the talk wants it. A maildrop that somebody has is asked for again: a session that
/// just ended may hold it for a moment, and that is not what is judged here.
Talk::Came Talk::up(Line& at) {
  if (!at.bring_up) return Came::on;
  const Time now = context_.network.now();
  const Time late = at.attempt + context_.scaled(kBound);
  if (at.retry_at) {
    if (now < *at.retry_at) {
      look_at_ = at.retry_at;
      return Came::blocked;
    }
    at.retry_at.reset();
    reopen(at);
  }
  switch (at.bring_up->go_on()) {
    case TalkBringUp::State::up:
      at.bring_up.reset();
      since_ = now;
      return Came::on;
    case TalkBringUp::State::busy:
      if (now >= late)
        return unanswered(&at, check_.talk[next_], "a connection that is brought up",
                          fmt::format("no answer within {}{}{}", format_duration(context_.scaled(kBound)),
                                      at.refusal.empty() ? "" : "; before that ", at.refusal));
      look_at_ = late;
      return Came::blocked;
    case TalkBringUp::State::refused:
      if (now < at.opened + context_.scaled(kLockPatience)) {
        at.refusal = at.bring_up->why();
        at.connection->drop(false);
        look_at_ = at.retry_at = now + kLockRetry;
        return Came::blocked;
      }
      if (context_.options.earlier)  // who was silent or hung up before may have the maildrop still
        return unanswered(&at, check_.talk[next_], "a connection that is brought up", at.bring_up->why());
      [[fallthrough]];
    case TalkBringUp::State::failed:
      context_.fail("login", at.bring_up->why());
      return Came::ended;
  }
  return Came::ended;
}

Talk::Came Talk::step(const scenario::TalkLine& line) {
  switch (line.op) {
    case Op::deliver:
      return deliver(line);
    case Op::arrives:
    case Op::no_report:
      return arrives(line);
    case Op::wait:
      return passed(context_.scaled(line.span));
    case Op::note: {
      auto e = context_.event(Type::obs, What::observed);
      e.text = filled_in(line.text, variables_);
      context_.append(std::move(e));
      next();
      return Came::on;
    }
    case Op::same:
    case Op::differ:
    case Op::fewer:
    case Op::at_most:
      return compare(line);
    case Op::within:
      within_ = line.span;
      next();
      return Came::on;
    case Op::connect:
      if (!begun_) {
        begun_ = true;
        since_ = context_.network.now();
        if (open(line.connection, line.connect) == Came::ended) return Came::ended;
      }
      if (const Came came = up(lines_.at(line.connection)); came != Came::on) return came;
      next();
      return Came::on;
    default:
      break;
  }
  if (!lines_.contains(line.connection) && open(line.connection, check_.first) == Came::ended) return Came::ended;
  Line& at = lines_.at(line.connection);
  if (const Came came = up(at); came != Came::on) return came;
  if (after_) return after_silence(at, line);
  if (!begun_) {
    begun_ = true;
    since_ = context_.network.now();
    octets_ = at.connection->octets();
  }
  const auto on = [&] {
    done(at, line);
    next();
    return Came::on;
  };
  LinkFaults faults;
  switch (line.op) {
    case Op::send:
    case Op::send_raw:
      return send(at);
    case Op::ask:
      return ask(at, line);
    case Op::closed:
      return closed(at, line);
    case Op::quiet:
      return quiet(at, line);
    case Op::took: {
      const auto span = std::chrono::duration_cast<std::chrono::milliseconds>(at.heard - at.said);
      variables_.values[cut_pattern(line.text).front().variable->name] =
          fmt::to_string(std::max<std::int64_t>(span.count(), 0));
      return on();
    }
    case Op::tls:
      return tls(at, line);
    case Op::distinct: {
      std::string value;
      for (const auto& piece : fill_in(at, line.text, false)) value += piece.text;
      if (!context_.problem.empty()) return Came::ended;
      if (!variables_.distinct[line.text].insert(value).second)
        return wrong(&at, line, fmt::format("{} that was never seen before", line.text), value);
      return right(&at, line, value);
    }
    case Op::imaptest:
      return imaptest(at, line);
    case Op::compress:
      at.connection->start_deflate();
      return on();
    case Op::close:
      at.connection->drop(false);
      return on();
    case Op::reset:
      at.connection->drop(true);
      return on();
    case Op::half_close:
      faults.half_close = true;
      at.connection->misbehave(faults);
      return on();
    case Op::stop_reading:
      if (next_write_takes(at.number))
        if (const Came came = only_ours(at, {}); came != Came::on) return came;
      faults.stop_reading = true;
      at.connection->misbehave(faults);
      return on();
    case Op::read:
      at.connection->misbehave(faults);
      return on();
    default:
      return at.how.protocol == Protocol::imap ? imap(at, line) : reply(at, line);
  }
}

Talk::Came Talk::passed(Duration span) {
  if (!begun_) {
    begun_ = true;
    since_ = context_.network.now();
  }
  if (context_.network.now() >= since_ + span) {
    next();
    return Came::on;
  }
  look_at_ = since_ + span;
  return Came::blocked;
}

Talk::Came Talk::deliver(const scenario::TalkLine& line) {
  if (std::exchange(delivered_, false)) {
    delivering_ = false;
    if (const auto* missed = missed_delivery()) {
      record(nullptr, line, Type::info, "the messages that are delivered meanwhile",
             missed->text.empty() ? "what was accepted was not seen" : missed->text, "preparation");
      return Came::ended;
    }
    next();
    return Came::on;
  }
  if (!std::exchange(delivering_, true)) {
    events_before_ = context_.history.events().size();
    deliver_(scenario_.steps.at(line.delivery), [this] {
      delivered_ = true;
      again();
    });
  }
  return Came::blocked;
}

/// How a delivery of the talk's own ended that was refused, or that did not arrive.
const history::Event* Talk::missed_delivery() const {
  const auto& events = context_.history.events();
  const auto missed =
      std::find_if(events.begin() + static_cast<std::ptrdiff_t>(events_before_), events.end(), [](const auto& e) {
        return (e.what == What::outcome || e.what == What::see) && (e.type == Type::fail || e.type == Type::info);
      });
  return missed == events.end() ? nullptr : &*missed;
}

Talk::Came Talk::compare(const scenario::TalkLine& line) {
  const bool numbers = line.op == Op::fewer || line.op == Op::at_most;
  const auto value = [&](const std::string& operand) {
    if (operand.starts_with('{'))
      if (const auto sent = message(std::string_view(operand).substr(1, operand.size() - 2))) return *sent;
    std::string out;
    for (const TalkPart& part : cut_pattern(operand)) {
      if (!part.variable) {
        out += part.literal;
        continue;
      }
      const auto known = variables_.values.find(part.variable->name);
      if (known == variables_.values.end()) {
        unbound(part.variable->name);
        return operand;
      }
      if (numbers && !is_of_type(known->second, "number"))
        context_.fail("talk", fmt::format("the check compares {} as a number, and it is \"{}\"", operand,
                                          printable(known->second, 100)));
      out += known->second;
    }
    return out;
  };
  const auto number = [](const std::string& text) {
    std::uint64_t out = 0;
    std::from_chars(text.data(), text.data() + text.size(), out);
    return out;
  };
  const std::string a = value(line.alternatives[0]), b = value(line.alternatives[1]);
  if (!context_.problem.empty()) return Came::ended;
  const bool fits = line.op == Op::same     ? a == b
                    : line.op == Op::differ ? a != b
                    : line.op == Op::fewer  ? number(a) < number(b)
                                            : number(a) <= number(b);
  const std::string_view word = line.op == Op::same     ? "equal to"
                                : line.op == Op::differ ? "other than"
                                : line.op == Op::fewer  ? "less than"
                                                        : "at most";
  const std::string wanted = fmt::format("{} {} {}", line.alternatives[0], word, line.alternatives[1]);
  const std::string came = fmt::format("{} is {}, {} is {}", line.alternatives[0], printable(a, 400),
                                       line.alternatives[1], printable(b, 400));
  return fits ? right(nullptr, line, came) : wrong(nullptr, line, wanted, came);
}

}  // namespace mailproof::play
