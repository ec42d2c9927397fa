#include "play/recorded/recorder.h"

namespace mailproof::play {

using history::Type;
using history::What;

Recorder::Recorder(Context& context, Peer& client, std::uint32_t session, const Endpoint& endpoint, std::string mailbox)
    : context_(context),
      number_(session),
      endpoint_(endpoint),
      mailbox_(std::move(mailbox)),
      recorded_(client, *context.logs.at(number_ - 1)) {}

Recorder::~Recorder() { link_.reset(); }

history::Event Recorder::event(Type type, What what) const {
  auto e = context_.event(type, what, number_);
  e.raw = context_.logs[number_ - 1]->here();
  e.mailbox = mailbox_;
  return e;
}

void Recorder::open(Then then) {
  auto invoke = event(Type::invoke, What::connect);
  invoke.text = endpoint_.label();
  connect_event_ = append(std::move(invoke));
  opened_ = std::move(then);
  link_ = context_.network.open(endpoint_, recorded_);
}

void Recorder::never_sent(Pending pending) {
  auto e = event(Type::fail, pending.what);
  e.command = pending.event;
  e.text = kGone;
  append(std::move(e));
  context_.later.post([then = std::move(pending.then)] {
    if (then) then({session::Outcome::fail, "", "", std::string(kGone)});
  });
}

std::optional<Recorder::Pending> Recorder::take(session::CommandId id) {
  const auto found = pending_.find(id);
  if (found == pending_.end()) return std::nullopt;
  std::optional<Pending> pending(std::move(found->second));
  pending_.erase(found);
  return pending;
}

history::Event Recorder::done(const Pending& pending, session::Outcome outcome, std::string_view code,
                              std::string_view text) {
  auto e = event(type_of(outcome), pending.what);
  e.command = pending.event;
  e.code = code;
  e.text = text;
  return e;
}

void Recorder::drop(bool with_reset, std::string_view words) {
  if (over_ || !link_) return;
  if (!words.empty()) {
    auto e = event(Type::fault, What::end);
    e.text = words;
    append(std::move(e));
  }
  link_->drop(with_reset);
}

void Recorder::misbehave(const LinkFaults& faults) {
  if (link_ && !over_) link_->misbehave(faults);
}

void Recorder::ready(std::string_view status, std::string_view announced) {
  auto e = event(Type::ok, What::connect);
  e.code = announced;
  e.command = connect_event_;
  append(std::move(e));
  if (const Then then = std::exchange(opened_, {})) then({session::Outcome::ok, std::string(status), "", ""});
}

void Recorder::deviation(const session::Deviation& deviation) {
  auto e = event(Type::obs, What::deviation);
  e.code = deviation.code;
  e.text = deviation.excerpt;
  append(std::move(e));
}

void Recorder::ended(const session::Ended& ended) {
  over_ = true;
  end_ = ended;
  if (opened_) {
    auto e = event(Type::fail, What::connect);
    e.command = connect_event_;
    e.code = name(ended.reason);
    e.text = ended.message();
    append(std::move(e));
  }
  auto e = event(Type::obs, What::end);
  e.code = name(ended.reason);
  e.text = ended.message();
  e.flags = ended.clean                          ? "clean"
            : ended.beyond                       ? "beyond"
            : ended.broken                       ? "broken"
            : ended.reason == EndReason::dropped ? "ours"
                                                 : "";
  append(std::move(e));
  if (const Then then = std::exchange(opened_, {}))
    then({session::Outcome::fail, "", std::string(name(ended.reason)), ended.message()});
}

}  // namespace mailproof::play
