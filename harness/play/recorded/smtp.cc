#include "play/recorded/smtp.h"

#include <algorithm>
#include <utility>

#include "play/recorded/outcome.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;

}  // namespace

SmtpSession::SmtpSession(Context& context, std::uint32_t device, const Endpoint& endpoint, std::uint32_t login_account)
    : context_(context),
      number_(context.new_session(device, endpoint.protocol, 0, 0, endpoint)),
      client_(std::make_unique<session::SmtpClient>(context.client_config(endpoint, login_account),
                                                    "mailproof.example.test", *this)),
      recorded_(std::make_unique<history::RecordedPeer>(*client_, *context.logs.at(number_ - 1))),
      endpoint_(endpoint) {}

SmtpSession::~SmtpSession() {
  context_.network.set_alarm(*this, std::nullopt);
  link_.reset();
}

void SmtpSession::later(std::function<void()> what) {
  later_.push_back(std::move(what));
  context_.network.set_alarm(*this, context_.network.now());
}

void SmtpSession::ring(Time) {
  for (const auto& what : std::exchange(later_, {})) what();
}

history::Event SmtpSession::event(Type type, What what) const {
  auto e = context_.event(type, what, number_);
  e.raw = context_.logs[number_ - 1]->here();
  return e;
}

void SmtpSession::open(Then then) {
  auto invoke = event(Type::invoke, What::connect);
  invoke.text = endpoint_.label();
  connect_event_ = context_.append(std::move(invoke));
  opened_ = std::move(then);
  link_ = context_.network.open(endpoint_, *recorded_);
}

void SmtpSession::send(std::uint32_t message, std::shared_ptr<const std::string> text, const std::string& from,
                       const std::vector<std::uint32_t>& to, Sent then) {
  auto invoke = event(Type::invoke, What::deliver);
  invoke.message = message;
  invoke.text = name(endpoint_.protocol);
  invoke.size = text->size();
  const std::uint32_t index = context_.append(std::move(invoke));
  if (ended_) {
    std::vector<Delivered> results;
    for (const auto account : to) {
      auto e = event(Type::fail, What::deliver);
      e.command = index;
      e.message = message;
      e.account = account;
      e.text = "the connection was gone before";
      context_.append(std::move(e));
      results.push_back({account, session::Outcome::fail, 0, "", "the connection was gone before"});
    }
    return later([then = std::move(then), results = std::move(results)] { then(results); });
  }
  session::Envelope envelope;
  envelope.from = from;
  for (const auto account : to) envelope.to.push_back(context_.accounts.at(account - 1).address);
  const auto id = client_->send(std::move(envelope), std::move(text));
  pending_[id] = {index, message, to, {}, std::move(then)};
}

void SmtpSession::quit(std::function<void()> then) {
  if (ended_) return later(std::move(then));
  quit_ = std::move(then);
  if (client_->quit() != 0) return;
  if (auto done = std::exchange(quit_, {})) later(std::move(done));
}

void SmtpSession::drop(bool with_reset) {
  if (link_ && !ended_) link_->drop(with_reset);
}

void SmtpSession::misbehave(const LinkFaults& faults) {
  if (link_ && !ended_) link_->misbehave(faults);
}

void SmtpSession::on_ready(Time) {
  auto e = event(Type::ok, What::connect);
  e.command = connect_event_;
  context_.append(std::move(e));
  if (const Then then = std::exchange(opened_, {})) then(true, "");
}

void SmtpSession::on_reply(std::string_view, const session::SmtpReply&, Time) {}

void SmtpSession::on_final_dot(session::CommandId id, Time) {
  if (const auto found = pending_.find(id); found != pending_.end()) {
    auto e = event(Type::obs, What::final_dot);
    e.command = found->second.event;
    e.message = found->second.message;
    context_.append(std::move(e));
  }
  if (final_dot) final_dot();
}

void SmtpSession::on_recipient(session::CommandId id, const session::RecipientResult& result, Time) {
  const auto found = pending_.find(id);
  if (found == pending_.end()) return;
  Pending& pending = found->second;
  auto e = event(type_of(result.outcome), What::deliver);
  e.command = pending.event;
  e.message = pending.message;
  e.account = pending.to.at(result.recipient);
  e.code = result.reply.enhanced;
  e.facts = history::ReplyFacts{static_cast<std::uint32_t>(std::max(result.reply.code, 0))};
  e.text = result.reply.text;
  e.flags = result.locally ? "at-rcpt locally" : result.at_rcpt ? "at-rcpt" : "";
  context_.append(std::move(e));
  pending.results.push_back({pending.to.at(result.recipient), result.outcome, result.reply.code,
                             std::string(result.reply.enhanced), std::string(result.reply.text)});
}

void SmtpSession::on_done(session::CommandId id, session::Outcome, Time, Time) {
  const auto found = pending_.find(id);
  if (found == pending_.end()) return;
  const Pending pending = std::move(found->second);
  pending_.erase(found);
  if (pending.then) pending.then(pending.results);
}

void SmtpSession::on_deviation(const session::Deviation& deviation, Time) {
  auto e = event(Type::obs, What::deviation);
  e.code = deviation.code;
  e.text = deviation.excerpt;
  context_.append(std::move(e));
}

void SmtpSession::on_ended(const session::Ended& ended, Time) {
  ended_ = true;
  if (opened_) {
    auto e = event(Type::fail, What::connect);
    e.command = connect_event_;
    e.code = name(ended.reason);
    e.text = ended.message();
    context_.append(std::move(e));
  }
  auto e = event(Type::obs, What::end);
  e.code = name(ended.reason);
  e.text = ended.message();
  e.flags = ended.clean ? "clean" : ended.broken ? "broken" : ended.reason == EndReason::dropped ? "ours" : "";
  context_.append(std::move(e));
  if (const Then then = std::exchange(opened_, {})) then(false, ended.message());
  if (const auto done = std::exchange(quit_, {})) done();
}

}  // namespace mailproof::play
