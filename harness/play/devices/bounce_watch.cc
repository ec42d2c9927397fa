#include "play/devices/bounce_watch.h"

#include <algorithm>

#include "play/learnt.h"

namespace mailproof::play {

BounceWatch::BounceWatch(Context& context, std::uint32_t sender, std::uint32_t recipient)
    : context_(context), recipient_(recipient) {
  for (const auto account : {recipient, sender})
    if (account != 0) eyes_.push_back({account, nullptr, nullptr});
}

BounceWatch::~BounceWatch() { context_.network.set_alarm(*this, std::nullopt); }

void BounceWatch::await(std::uint32_t message, Duration bound, Then then) {
  message_ = message;
  since_ = context_.network.now();
  deadline_ = since_ + bound;
  then_ = std::move(then);
  if (context_.endpoint(Protocol::imap) == nullptr) return answer(Seen::cannot_look);
  look(0);
}

void BounceWatch::look(std::size_t index) {
  if (index >= eyes_.size()) return decide();
  Eye& eye = eyes_[index];
  const auto next = [this, index](bool ok) {
    blind_ = blind_ || !ok;
    look(index + 1);
  };
  if (!eye.session || eye.session->over()) {
    eye.reader.reset();
    eye.session = std::make_unique<RecordedImap>(context_, 0, eye.account, 0, *context_.endpoint(Protocol::imap));
    eye.reader = std::make_unique<MailboxReader>(*eye.session);
    return eye.session->open([&eye, next](const Completion& result) {
      if (!result.ok()) return next(false);
      eye.reader->open("INBOX", true, next);
    });
  }
  eye.session->noop([&eye, next](const Completion& result) {
    if (!result.ok()) return next(false);
    eye.reader->catch_up(next);
  });
}

void BounceWatch::decide() {
  const auto& reports = context_.ledger.reports();
  std::uint32_t taken = 0;  // a report that was seen before is about an earlier attempt
  for (const auto& attempt : context_.ledger.attempts_of(message_))
    if (attempt.account == recipient_ && attempt.outcome != history::Type::fail) taken = attempt.event;
  const bool bounced = std::any_of(reports.begin(), reports.end(), [&](const auto& report) {
    return report.message == message_ && (report.recipient == recipient_ || report.recipient == 0) &&
           report.event > taken;
  });
  if (bounced) return answer(Seen::bounced);
  if (eyes_.front().reader && eyes_.front().reader->has(message_)) return answer(Seen::delivered);
  const bool unread = std::any_of(eyes_.begin(), eyes_.end(),
                                  [](const Eye& eye) { return eye.reader && eye.reader->unread_reports() != 0; });
  const Time now = context_.network.now();
  if (now >= deadline_) return answer(blind_ || unread ? Seen::cannot_look : Seen::nothing);
  context_.network.set_alarm(*this, std::min(deadline_, now + look_again_after(now - since_)));
}

void BounceWatch::ring(Time) { look(0); }

void BounceWatch::answer(Seen seen) {
  if (const Then then = std::exchange(then_, {})) then(seen);
}

void BounceWatch::close() {
  for (Eye& eye : eyes_)
    if (eye.session && eye.session->ready()) eye.session->logout([](const Completion&) {});
}

}  // namespace mailproof::play
