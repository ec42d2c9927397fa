#include "play/recorded/smtp.h"

#include <algorithm>
#include <utility>

namespace mailproof::play {

using history::Type;
using history::What;

RecordedSmtp::RecordedSmtp(Context& context, std::uint32_t device, const Endpoint& endpoint,
                           std::uint32_t login_account)
    : context_(context),
      session_(context.new_session(device, endpoint.protocol, 0, 0, endpoint)),
      client_(std::make_unique<session::SmtpClient>(context.client_config(endpoint, login_account, session_),
                                                    "mailproof.example.test", *this)),
      recorder_(context, *client_, session_, endpoint) {}

void RecordedSmtp::open(Then then) {
  recorder_.open([then = std::move(then)](const Completion& result) { then(result.ok(), result.text); });
}

/// What became of one recipient.
void RecordedSmtp::record(Delivery& delivery, std::size_t recipient, session::Outcome outcome,
                          const session::SmtpReply& reply, std::string_view how) {
  auto e = recorder_.event(type_of(outcome), What::deliver);
  e.command = delivery.event;
  e.message = delivery.message;
  e.account = delivery.to.at(recipient);
  e.code = reply.enhanced;
  e.facts = history::ReplyFacts{static_cast<std::uint32_t>(std::max(reply.code, 0))};
  e.text = reply.text;
  e.flags = how;
  recorder_.append(std::move(e));
  delivery.results.push_back(
      {delivery.to.at(recipient), outcome, reply.code, std::string(reply.enhanced), std::string(reply.text)});
}

void RecordedSmtp::send(std::uint32_t message, std::shared_ptr<const std::string> text, const std::string& from,
                        const std::vector<std::uint32_t>& to, Sent then, bool bdat) {
  auto invoke = recorder_.event(Type::invoke, What::deliver);
  invoke.message = message;
  invoke.text = name(recorder_.endpoint().protocol);
  if (bdat) invoke.text += " by BDAT";
  invoke.size = text->size();
  Delivery delivery{recorder_.append(std::move(invoke)), message, to, {}, std::move(then)};
  session::Envelope envelope;
  envelope.from = from;
  envelope.envid = context_.messages.envelope_id(message);
  envelope.bdat = bdat;
  for (const auto account : to) envelope.to.push_back(context_.accounts.at(account - 1).address);
  const session::CommandId id = over() ? 0 : client_->send(std::move(envelope), std::move(text));
  if (id != 0) {
    deliveries_[id] = std::move(delivery);
    return;
  }
  for (std::size_t i = 0; i < to.size(); ++i)  // the session takes nothing more
    record(delivery, i, session::Outcome::fail, {0, "", Recorder::kGone}, "");
  context_.later.post([delivery = std::move(delivery)] { delivery.then(delivery.results); });
}

void RecordedSmtp::quit(std::function<void()> then) {
  if (over() || client_->quit() == 0) return context_.later.post(std::move(then));
  quit_ = std::move(then);
}

void RecordedSmtp::on_final_dot(session::CommandId id, Time) {
  if (const auto found = deliveries_.find(id); found != deliveries_.end()) {
    auto e = recorder_.event(Type::obs, What::final_dot);
    e.command = found->second.event;
    e.message = found->second.message;
    recorder_.append(std::move(e));
  }
  if (final_dot) final_dot();
}

void RecordedSmtp::on_recipient(session::CommandId id, const session::RecipientResult& result, Time) {
  const auto found = deliveries_.find(id);
  if (found == deliveries_.end()) return;
  record(found->second, result.recipient, result.outcome, result.reply,
         result.locally   ? "at-rcpt locally"
         : result.at_rcpt ? "at-rcpt"
                          : "");
}

void RecordedSmtp::on_done(session::CommandId id, session::Outcome, Time, Time) {
  const auto found = deliveries_.find(id);
  if (found == deliveries_.end()) return;
  Delivery delivery = std::move(found->second);
  deliveries_.erase(found);
  if (!delivery.then) return;
  if (client_->ready()) return delivery.then(delivery.results);
  // The session's end is told to its commands first: who goes on from here must know of it.
  context_.later.post([delivery = std::move(delivery)] { delivery.then(delivery.results); });
}

void RecordedSmtp::on_ended(const session::Ended& ended, Time) {
  recorder_.ended(ended);
  if (const auto done = std::exchange(quit_, {})) done();
}

}  // namespace mailproof::play
