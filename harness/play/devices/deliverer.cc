#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "history/no_room.h"
#include "history/not_now.h"
#include "play/devices/actor.h"
#include "play/devices/bounce_watch.h"
#include "play/devices/cut_short.h"
#include "play/recorded/outcome.h"
#include "play/recorded/smtp.h"
#include "play/requirements.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;
using scenario::Cut;
using scenario::Outcome;
using scenario::Way;
using Seen = BounceWatch::Seen;
constexpr Duration kDefaultSettle = std::chrono::seconds(10);

/// No RFC makes a code the duty of a refusal, and a full mailbox is told as 4.2.2, 5.2.3, 4.3.1 or 5.7.1 just as well.
/// But who reads X.1 strikes the address off his list (RFC 3463 section 3.2): that there is none must be true. X.1.7
/// and X.1.8 are about the sender's address.
bool contradicts(std::string_view wanted, std::string_view seen) {
  if (wanted.empty() || seen.empty()) return false;
  const auto of_address = [](std::string_view status) {
    const std::string_view detail = status.substr(std::min(status.find('.'), status.size()));
    return detail.starts_with(".1.") && detail != ".1.7" && detail != ".1.8";
  };
  return of_address(wanted) != of_address(seen);
}

/// RFC 5321 section 4.2.1: 4yz asks to try again, for whatever reason there is: greylisting, a mailbox that is busy, a
/// scanner that is down. Where room is promised, or the end of it awaited, such a reply says nothing of it; and where
/// room is promised, neither does what a site's policy refuses (section 7.9).
bool put_off(const std::vector<Delivered>& results, Outcome awaited) {
  return std::all_of(results.begin(), results.end(), [&](const Delivered& d) {
    if (d.outcome != session::Outcome::fail) return true;
    const auto code = static_cast<std::uint32_t>(d.code);
    if (awaited == Outcome::accepted && history::says_policy(code, d.status, d.text)) return true;
    return code / 100 == 4 && !(awaited == Outcome::accepted ? history::says_over_quota(code, d.status, d.text)
                                                             : history::says_no_room(code, d.status, d.text));
  });
}

bool is_mail(Way way) { return way == Way::lmtp || way == Way::smtp; }

bool has_eight_bits(const scenario::NewMessages& made) {
  const auto eight_bit = [](char c) { return (static_cast<unsigned char>(c) & 0x80U) != 0; };
  return made.letter == nullptr ? made.kind == scenario::MessageKind::eight_bit
                                : std::any_of(made.letter->body.begin(), made.letter->body.end(), eight_bit);
}

/// An MTA, or whatever else puts mail into mailboxes.
class Deliverer final : public Actor {
 public:
  Deliverer(Context& context, const scenario::Scenario& scenario, const scenario::Device& device, std::uint32_t number)
      : context_(context),
        scenario_(scenario),
        device_(device),
        number_(number),
        sender_(device.from ? static_cast<std::uint32_t>(*device.from + 1) : 0) {}

  void prepare(Finish done) override;
  /// deliver and retry.
  void perform(const scenario::Step& step, Finish done) override;
  void leave(Finish done) override { done(); }

 private:
  /// One step under way.
  struct Job {
    const scenario::Sending* sending = nullptr;
    const scenario::Deliver* deliver = nullptr;  ///< null: a retry
    Way way = Way::lmtp;
    std::vector<std::uint32_t> to;
    std::vector<std::uint32_t> again;  ///< retry: these, instead of new ones
    int sent = 0;
    std::uint32_t until = 0;  ///< expectation of `until`
    bool no_storage = false;  ///< the newest reply said that the system, not the mailbox, has no room now
    std::unique_ptr<BounceWatch> watch;
    Finish done;

    std::optional<Outcome> stops_at() const { return deliver != nullptr ? deliver->until : std::nullopt; }
    Duration settle() const { return deliver->settle.value_or(kDefaultSettle); }  ///< where it stops at an outcome
  };
  using JobPtr = std::shared_ptr<Job>;
  using Then = std::function<void(const std::vector<Delivered>&)>;

  /// Extensions of SMTP without which the steps cannot be played.
  using Wants = std::map<Way, std::set<std::string_view>>;
  Wants wanted() const;
  void look(Wants wants, Finish done);
  void next(const JobPtr& job);
  void transmit(const JobPtr& job, std::uint32_t message, std::shared_ptr<const std::string> text, Then then);
  void over_smtp(const JobPtr& job, std::uint32_t message, std::shared_ptr<const std::string> text, Then then);
  void by_command(const JobPtr& job, std::uint32_t message, std::shared_ptr<const std::string> text,
                  std::size_t recipient, std::vector<Delivered> so_far, Then then);
  void over_append(const JobPtr& job, std::uint32_t message, std::shared_ptr<const std::string> text,
                   std::size_t recipient, std::vector<Delivered> so_far, Then then);
  Delivered appended(const Job& job, std::uint32_t account, std::uint32_t message, std::uint32_t session,
                     const Completion& result) const;
  void judge_results(const JobPtr& job, std::uint32_t message, std::uint32_t expectation,
                     const std::vector<Delivered>& results);
  void conclude(const JobPtr& job, std::uint32_t expectation, std::uint32_t message, Type how, std::string text,
                std::string_view code = {});
  void finish(const JobPtr& job);

  std::uint32_t sender(const std::vector<std::uint32_t>& to) const;
  std::string sender_address(const std::vector<std::uint32_t>& to) const;
  std::uint32_t first_sender() const;

  Context& context_;
  const scenario::Scenario& scenario_;
  const scenario::Device& device_;
  std::uint32_t number_, sender_;
  std::uint32_t login_ = 0;  ///< who is logged in in session_
  std::vector<std::unique_ptr<RecordedSmtp>> sessions_;
  std::vector<std::unique_ptr<RecordedImap>> appenders_;
  std::vector<std::unique_ptr<BounceWatch>> watches_;
  RecordedSmtp* session_ = nullptr;
};

/// Addresses come from the pool only: without `from` it is the first recipient who sends, and who logs in where that is
/// asked for.
std::uint32_t Deliverer::sender(const std::vector<std::uint32_t>& to) const {
  return sender_ != 0 ? sender_ : to.front();
}

std::string Deliverer::sender_address(const std::vector<std::uint32_t>& to) const {
  return context_.accounts.at(sender(to) - 1).address;
}

std::uint32_t Deliverer::first_sender() const {
  for (const auto& step : scenario_.steps) {
    const auto* mail = step.maybe<scenario::Deliver>();
    if (step.device + 1 == number_ && mail != nullptr && !mail->to.empty())
      return sender({static_cast<std::uint32_t>(mail->to.front() + 1)});
  }
  return sender({1});
}

/// BDAT, and room for eight bits, which nobody may send where 8BITMIME is not offered (RFC 6152 section 2).
Deliverer::Wants Deliverer::wanted() const {
  Wants out;
  for (const auto& step : scenario_.steps) {
    const auto* sending = step.maybe<scenario::Sending>();
    if (step.device + 1 != number_ || sending == nullptr) continue;
    const Way way = delivery_way(context_.target, sending->via.value_or(device_.way));
    if (sending->by == scenario::Transfer::bdat) out[way].insert("CHUNKING");
    const auto* mail = step.maybe<scenario::Deliver>();
    if (mail != nullptr && has_eight_bits(*mail) && is_mail(way)) out[way].insert("8BITMIME");
  }
  return out;
}

/// What a target may do without: a story about it is nothing for one that does not offer it.
void Deliverer::prepare(Finish done) { look(wanted(), std::move(done)); }

void Deliverer::look(Wants wants, Finish done) {
  if (wants.empty()) return done();
  const auto [way, extensions] = *wants.begin();
  wants.erase(wants.begin());
  const Endpoint* endpoint =
      is_mail(way) ? context_.endpoint(way == Way::lmtp ? Protocol::lmtp : Protocol::smtp) : nullptr;
  if (endpoint == nullptr) {
    context_.inapplicable("BDAT needs delivery over SMTP or LMTP");
    return done();
  }
  sessions_.push_back(
      std::make_unique<RecordedSmtp>(context_, number_, *endpoint, endpoint->auth ? first_sender() : 0));
  RecordedSmtp* session = sessions_.back().get();
  session->open([this, session, wants = std::move(wants), needed = extensions, done = std::move(done)](
                    bool ok, const std::string& why) {
    if (!ok) {
      context_.fail("connect", device_.name + ": " + why);
      return done();
    }
    for (const std::string_view extension : needed)
      if (!session->offers(extension)) context_.inapplicable(fmt::format("the target does not offer {}", extension));
    session->quit([this, wants, done] { look(wants, done); });
  });
}

void Deliverer::perform(const scenario::Step& step, Finish done) {
  auto job = std::make_shared<Job>();
  job->sending = &step.get<scenario::Sending>();
  job->deliver = step.maybe<scenario::Deliver>();
  job->way = delivery_way(context_.target, job->sending->via.value_or(device_.way));
  job->done = std::move(done);
  if (job->deliver != nullptr) {
    for (const auto account : job->deliver->to) job->to.push_back(static_cast<std::uint32_t>(account + 1));
  } else {
    job->again = context_.messages.numbers(step.get<scenario::Retry>().messages);
    for (const auto& attempt : context_.ledger.attempts())
      if (std::find(job->again.begin(), job->again.end(), attempt.message) != job->again.end() &&
          std::find(job->to.begin(), job->to.end(), attempt.account) == job->to.end())
        job->to.push_back(attempt.account);
    // What went out by APPEND is no attempt of an MTA: it goes again to whom it was put.
    if (job->to.empty())
      for (const std::uint32_t message : job->again)
        for (const history::Cell& cell : context_.ledger.cells_of(message))
          if (std::find(job->to.begin(), job->to.end(), cell.account) == job->to.end()) job->to.push_back(cell.account);
  }
  if (job->to.empty()) return job->done();
  if (job->stops_at())
    job->until = expect(context_, What::outcome, {.text = step.text, .bound = context_.scaled(job->settle())});
  next(job);
}

void Deliverer::next(const JobPtr& job) {
  const scenario::Deliver* deliver = job->deliver;
  const int wanted = deliver == nullptr ? static_cast<int>(job->again.size())
                     : deliver->until   ? std::max(deliver->at_most, 1)
                                        : deliver->count;
  if (job->sent >= wanted) {
    if (job->until != 0)
      outcome(context_, What::outcome, job->until, Type::info, {},
              fmt::format("{} messages went out and none was {}", job->sent, name(*job->stops_at())), 0);
    return finish(job);
  }
  Messages::Made made;
  if (deliver == nullptr) {
    made.number = job->again[static_cast<std::size_t>(job->sent)];
    made.text = context_.messages.again(made.number);
  } else {
    made = context_.messages.make(*deliver, sender_, sender_address(job->to),
                                  context_.accounts.at(job->to.front() - 1).address);
  }
  ++job->sent;
  std::uint32_t expectation = 0;
  if (job->sending->expect) {
    auto e = context_.event(Type::expect, What::outcome);
    e.set = history::format_numbers({made.number});
    e.code = name(*job->sending->expect);
    e.text = job->sending->status;
    if (deliver != nullptr) e.facts = history::OutcomeFacts{deliver->latitude};
    expectation = context_.append(std::move(e));
  }
  transmit(job, made.number, made.text,
           [this, job, number = made.number, expectation](const std::vector<Delivered>& results) {
             judge_results(job, number, expectation, results);
           });
}

void Deliverer::transmit(const JobPtr& job, std::uint32_t message, std::shared_ptr<const std::string> text, Then then) {
  if (job->way == Way::append) return over_append(job, message, std::move(text), 0, {}, std::move(then));
  if (job->way == Way::command) return by_command(job, message, std::move(text), 0, {}, std::move(then));
  over_smtp(job, message, std::move(text), std::move(then));
}

/// What the exit status of a local delivery agent means (sysexits.h), in SMTP's words.
Delivered delivered_by_command(std::uint32_t account, const AdminReply& reply) {
  switch (reply.status) {
    case 0:
      return {account, session::Outcome::ok, 250, "2.0.0", reply.text};
    case 67:  // EX_NOUSER
      return {account, session::Outcome::fail, 550, "5.1.1", reply.text};
    case 69:  // EX_UNAVAILABLE
      return {account, session::Outcome::fail, 550, "", reply.text};
    case 75:  // EX_TEMPFAIL
      return {account, session::Outcome::fail, 451, "", reply.text};
    case 77:  // EX_NOPERM: what delivery agents say of a full mailbox
      return {account, session::Outcome::fail, 552, "5.2.2", reply.text};
    default:
      return {account, session::Outcome::info, 0, "", reply.text};
  }
}

void Deliverer::by_command(const JobPtr& job, std::uint32_t message, std::shared_ptr<const std::string> text,
                           std::size_t recipient, std::vector<Delivered> so_far, Then then) {
  if (recipient >= job->to.size()) return then(so_far);
  const std::uint32_t account = job->to[recipient];
  auto invoke = context_.event(Type::invoke, What::deliver);
  invoke.message = message;
  invoke.text = "command";
  const std::uint32_t asked = context_.append(std::move(invoke));
  if (context_.options.admin == nullptr) {
    context_.fail("admin", "nobody can run the target's commands");
    return finish(job);
  }
  AdminRequest request;
  request.verb = AdminVerb::deliver;
  request.login = context_.accounts.at(account - 1).login;
  request.address = context_.accounts.at(account - 1).address;
  request.input = text;
  context_.options.admin->perform(request, [this, job, message, text, recipient, so_far = std::move(so_far),
                                            then = std::move(then), account, asked](const AdminReply& reply) mutable {
    const Delivered result = delivered_by_command(account, reply);
    auto e = context_.event(type_of(result.outcome), What::deliver);
    e.command = asked;
    e.message = message;
    e.account = account;
    e.code = result.status;
    e.facts = history::ReplyFacts{static_cast<std::uint32_t>(result.code)};
    e.text = reply.text;
    context_.append(std::move(e));
    if (result.outcome == session::Outcome::info) {
      context_.fail("admin", fmt::format("the command deliver failed with status {}: {}", reply.status, reply.text));
      return finish(job);
    }
    so_far.push_back(result);
    by_command(job, message, text, recipient + 1, std::move(so_far), std::move(then));
  });
}

void Deliverer::over_smtp(const JobPtr& job, std::uint32_t message, std::shared_ptr<const std::string> text,
                          Then then) {
  const auto send = [this, job, message, text, then] {
    const Cut cut = job->deliver != nullptr ? job->deliver->cut : Cut{};
    if (cut.when == Cut::When::after_final_dot) session_->final_dot = [session = session_] { session->drop(true); };
    if (cut.when == Cut::When::after_bytes) {
      LinkFaults faults;
      faults.cut_after_sent = cut.bytes;
      session_->misbehave(faults);
    }
    session_->send(message, text, sender_address(job->to), job->to, then, job->sending->by == scenario::Transfer::bdat);
  };
  const Endpoint* endpoint = context_.endpoint(job->way == Way::lmtp ? Protocol::lmtp : Protocol::smtp);
  const std::uint32_t login = endpoint->auth ? sender(job->to) : 0;
  if (session_ != nullptr && session_->ready() && login_ == login) return send();
  if (session_ != nullptr && session_->ready()) session_->quit([] {});
  login_ = login;
  sessions_.push_back(std::make_unique<RecordedSmtp>(context_, number_, *endpoint, login));
  session_ = sessions_.back().get();
  session_->open([this, job, send](bool ok, const std::string& why) {
    if (!ok) {
      context_.fail("connect", device_.name + ": " + why);
      return finish(job);
    }
    send();
  });
}

void Deliverer::over_append(const JobPtr& job, std::uint32_t message, std::shared_ptr<const std::string> text,
                            std::size_t recipient, std::vector<Delivered> so_far, Then then) {
  if (recipient >= job->to.size()) return then(so_far);
  const std::uint32_t account = job->to[recipient];
  appenders_.push_back(
      std::make_unique<RecordedImap>(context_, number_, account, 0, *context_.endpoint(Protocol::imap)));
  RecordedImap* session = appenders_.back().get();
  session->open(
      [this, job, message, text, recipient, so_far, then, session, account](const Completion& opened) mutable {
        if (!opened.ok()) {
          context_.fail("connect", device_.name + ": " + opened.text);
          return finish(job);
        }
        session->append(
            "INBOX", message, text,
            [this, job, message, text, recipient, so_far, then, session, account](const Completion& result) mutable {
              so_far.push_back(appended(*job, account, message, session->number(), result));
              const auto on = [this, job, message, text, recipient, so_far, then](const Completion&) {
                over_append(job, message, text, recipient + 1, so_far, then);
              };
              session->logout(on);
            });
      });
}

/// What came of an APPEND, in SMTP's words. RFC 3501 section 6.3.11 has NO for whatever is in the way: what is refused
/// for another reason than room nobody owes. Where the end of the room is awaited, one without a code may be it.
Delivered Deliverer::appended(const Job& job, std::uint32_t account, std::uint32_t message, std::uint32_t session,
                              const Completion& result) const {
  if (result.outcome != session::Outcome::fail) return {account, result.outcome, 0, "", result.text};
  if (iequals(result.code, "OVERQUOTA") || history::says_over_quota(500, "", result.text))
    return {account, result.outcome, 500, "5.2.2", result.text};
  const auto awaited = job.stops_at() ? job.stops_at() : job.sending->expect;
  const bool may_be_full = awaited && *awaited != Outcome::accepted && result.code.empty();
  if (!iequals(result.status, "NO") || may_be_full) return {account, result.outcome, 500, "", result.text};
  const std::string why =
      fmt::format("NO {}{}", result.code.empty() ? "" : fmt::format("[{}] ", result.code), result.text);
  undone(context_, {message}, session, fmt::format("APPEND to INBOX was refused: {}", why), "refused");
  return {account, result.outcome, history::says_not_now(result.code) ? 450 : 550, "", why};
}

/// Compares what came of one message with what the step expects of it, asking the mailboxes where an MTA may still
/// bounce it.
void Deliverer::judge_results(const JobPtr& job, std::uint32_t message, std::uint32_t expectation,
                              const std::vector<Delivered>& results) {
  const auto awaited = job->stops_at() ? job->stops_at() : job->sending->expect;
  const bool unknown = std::any_of(results.begin(), results.end(),
                                   [](const Delivered& d) { return d.outcome == session::Outcome::info; });
  const bool refused = std::any_of(results.begin(), results.end(),
                                   [](const Delivered& d) { return d.outcome == session::Outcome::fail; });
  const auto refusal = std::find_if(results.begin(), results.end(),
                                    [](const Delivered& d) { return d.outcome == session::Outcome::fail; });
  const bool may_bounce = awaited == Outcome::bounced || awaited == Outcome::refused_or_bounced;
  if (!awaited) return next(job);
  if (unknown) return conclude(job, expectation, message, Type::info, "the connection ended before the answer", kEnded);
  if (refused && refusal->code == 0 && session_ != nullptr && session_->over())
    return conclude(job, expectation, message, Type::info, fmt::format("it was not sent: {}", refusal->text), kEnded);
  // RFC 5321 section 3.8: 421 may come at any time, and ends the session.
  if (refused && refusal->code == 421 && awaited != Outcome::deferred)
    return conclude(job, expectation, message, Type::info,
                    fmt::format("the server ends its service: {}", refusal->text), kEnded);
  const bool permitted = job->deliver != nullptr && !job->deliver->latitude.empty();
  if (refused && awaited != Outcome::deferred && !permitted && put_off(results, *awaited))
    return conclude(job, expectation, message, Type::info,
                    fmt::format("{}: {} {} {}", refusal->code / 100 == 4 ? "put off" : "refused by policy",
                                refusal->code, refusal->status, refusal->text));
  // RFC 3463 section 3.4: said once, that may pass. A mailbox that is full says it again.
  const bool no_storage =
      refused && job->until != 0 && refusal->code / 100 == 4 &&
      !history::says_over_quota(static_cast<std::uint32_t>(refusal->code), refusal->status, refusal->text);
  if (!std::exchange(job->no_storage, no_storage) && no_storage && !permitted) return next(job);
  if (refused) {
    const bool deferral = refusal->code >= 400 && refusal->code < 500;
    const bool fits = awaited == Outcome::refused_or_bounced || (awaited == Outcome::refused && !deferral) ||
                      (awaited == Outcome::deferred && deferral);
    const bool status_fits = !contradicts(job->sending->status, refusal->status);
    return conclude(job, expectation, message, fits && status_fits ? Type::ok : Type::fail,
                    fmt::format("refused: {} {} {}", refusal->code, refusal->status, refusal->text));
  }
  if (!may_bounce)
    return conclude(job, expectation, message, awaited == Outcome::accepted ? Type::ok : Type::fail, "accepted");
  if (job->way != Way::smtp)  // over LMTP and APPEND the answer is final (RFC 2033 section 4.2)
    return conclude(job, expectation, message, Type::fail, "accepted");
  if (!job->watch) job->watch = std::make_unique<BounceWatch>(context_, sender_, job->to.front());
  const Duration bound = context_.scaled(job->stops_at() ? job->settle() : job->sending->within);
  // RFC 5321 section 4.5.4.1: until its MTA gives up, mail may be queued.
  const auto& gives_up = context_.target.gives_up_after;
  const bool may_be_queued = !gives_up || bound < *gives_up;
  const Duration enough = context_.enough(bound);
  job->watch->await(
      message, enough,
      [this, job, expectation, message, bound, enough, may_be_queued, since = context_.network.now()](Seen seen) {
        if (context_.options.learnt != nullptr && (seen == Seen::delivered || seen == Seen::bounced))
          context_.options.learnt->arrived(context_.network.now() - since);
        switch (seen) {
          case Seen::bounced: {
            const auto& reports = context_.ledger.reports();
            const auto report =
                std::find_if(reports.begin(), reports.end(), [&](const auto& r) { return r.message == message; });
            const std::string status = report == reports.end() ? "" : report->status;
            return conclude(job, expectation, message,
                            contradicts(job->sending->status, status) ? Type::fail : Type::ok, "bounced: " + status);
          }
          case Seen::delivered:
            return conclude(job, expectation, message, Type::fail, "accepted and delivered");
          case Seen::nothing:
            // Less than the scenario's bound was waited: that accuses nobody, and a mailbox may be filled all the same.
            if (enough < bound && expectation == 0) return next(job);
            if (enough < bound) return conclude(job, expectation, message, Type::info, waited_only(enough));
            return conclude(job, expectation, message, may_be_queued ? Type::info : Type::fail,
                            fmt::format("accepted; neither delivered nor reported in time{}",
                                        may_be_queued ? ": it may still be queued" : ""));
          case Seen::cannot_look:
            return conclude(job, expectation, message, Type::info, "the mailboxes could not be looked into");
        }
      });
}

void Deliverer::conclude(const JobPtr& job, std::uint32_t expectation, std::uint32_t message, Type how,
                         std::string text, std::string_view code) {
  const std::vector<std::uint32_t> missing =
      how == Type::ok ? std::vector<std::uint32_t>{} : std::vector<std::uint32_t>{message};
  if (expectation != 0) outcome(context_, What::outcome, expectation, how, missing, text, 0, std::string(code));
  if (job->until == 0 || how == Type::fail) return next(job);  // until: not yet, the next one
  outcome(context_, What::outcome, job->until, how, {}, text, 0);
  finish(job);
}

void Deliverer::finish(const JobPtr& job) {
  if (job->watch) job->watch->close();
  if (job->watch) watches_.push_back(std::move(job->watch));  // its sessions still log out
  const Finish done = std::exchange(job->done, {});
  if (!done) return;
  if (session_ == nullptr || session_->over()) return done();
  session_->quit(done);
}

}  // namespace

std::unique_ptr<Actor> make_deliverer(Context& context, const scenario::Scenario& scenario, std::uint32_t device) {
  return std::make_unique<Deliverer>(context, scenario, scenario.devices.at(device - 1), device);
}

}  // namespace mailproof::play
