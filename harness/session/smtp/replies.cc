#include <fmt/format.h>

#include "session/smtp/impl.h"

namespace mailproof::session {
namespace {

constexpr int kGoodbye = 221;

}  // namespace

std::string_view SmtpClient::Impl::command_name(Asked asked) const {
  switch (asked) {
    case Asked::greeting:
      return "greeting";
    case Asked::hello:
      return lmtp() ? "LHLO" : "EHLO";
    case Asked::helo:
      return "HELO";
    case Asked::starttls:
      return "STARTTLS";
    case Asked::auth:
      return "AUTH";
    case Asked::rset:
      return "RSET";
    case Asked::mail:
      return "MAIL";
    case Asked::rcpt:
      return "RCPT";
    case Asked::data:
      return "DATA";
    case Asked::final:
      return "end of data";
    case Asked::quit:
      return "QUIT";
  }
  return "?";
}

void SmtpClient::Impl::command(Asked asked, std::string_view line, std::size_t recipient) {
  out_.text(line);
  out_.text("\r\n");
  expect(asked, recipient);
}

/// What was written last is to be answered.
void SmtpClient::Impl::expect(Asked asked, std::size_t recipient) {
  last_end_ = written();
  awaited_.push({asked, recipient, last_end_});
  step(command_name(awaited_.front().asked));
  await(is_ready() ? config().command_bound : config().greeting_bound);
  wake();
}

SmtpReply SmtpClient::Impl::view(const smtp::Reply& reply) {
  text_.clear();
  for (const char c : reply.text) {
    if (c == '\n') {
      text_ += " / ";
    } else {
      text_ += c;
    }
  }
  enhanced_ = reply.enhanced ? reply.enhanced->text() : std::string();
  return {reply.code, enhanced_, text_};
}

void SmtpClient::Impl::on_bytes(std::string_view in, Time) {
  while (!over() && !upgrading()) {
    const smtp::Reply* reply = reader_.next(in);
    if (reply == nullptr) break;
    on_reply(*reply, in);
  }
  if (over()) return;
  if (reader_.broken()) {
    saw(reader_.garbage());
    return end(EndReason::dropped, fmt::format("not an {} reply", lmtp() ? "LMTP" : "SMTP"), true);
  }
  check_limits();
  if (!over()) forward_deviations();
}

void SmtpClient::Impl::on_reply(const smtp::Reply& reply, std::string_view behind) {
  saw(reply.summary());
  if (awaited_.empty()) return unasked(reply);
  if (awaited_.front().end > handed()) {
    const bool in_the_middle = awaited_.front().asked == Asked::final && reply.code >= 400;
    return in_the_middle ? refused_in_the_middle(reply) : unasked(reply);
  }
  if (asks_for_replies_ && reply.code == kGoodbye) {
    note("lmtp.replies.missing", reply.summary(), received());
    return over() ? void() : end(EndReason::timeout, "QUIT was answered before each recipient was");
  }
  const Awaited due = awaited_.pop();
  command_from_ = received();
  if (awaited_.empty()) {
    await_nothing();
  } else {
    step(command_name(awaited_.front().asked));
    await(is_ready() ? config().command_bound : config().greeting_bound);
  }
  if (due.asked != Asked::greeting) sink_.on_reply(command_name(due.asked), view(reply), now());
  if (over()) return;
  switch (due.asked) {
    case Asked::mail:
      return after_mail(reply);
    case Asked::rcpt:
      return after_rcpt(due.recipient, reply);
    case Asked::data:
      return after_data(reply);
    case Asked::final:
      return after_final(due.recipient, reply);
    case Asked::rset:
      if (!reply.positive()) note("smtp.rset.refused", reply.text, received());
      if (!over() && !pipelined_) write_mail();
      return;
    case Asked::quit: {
      const CommandId id = jobs_.pop().id;
      active_ = false;
      sink_.on_done(id, reply.positive() ? Outcome::ok : Outcome::fail, sent_at_, now());
      if (!over()) end_clean();
      return;
    }
    default:
      return bring_up_reply(due.asked, reply, behind);
  }
}

/// A reply to nothing. 421 may come at any time (RFC 5321 section 3.8); anything else shifts what follows.
void SmtpClient::Impl::unasked(const smtp::Reply& reply) {
  if (reply.code == 421) return;
  note(lmtp() && after_message_ ? "lmtp.replies.extra" : "smtp.reply.unasked", reply.summary(), received());
  if (!over() && ++unasked_ > config().max_responses)
    end(EndReason::dropped, fmt::format("more than {} replies to nothing", config().max_responses), true);
}

/// RFC 5321 section 4.5.3.2.6 gives the reply to the dot ten minutes, so silence owes nothing. Whether one is missing
/// or late is seen where a later command is answered: QUIT goes out behind the message (RFC 2920 section 3.1), and no
/// reply to a message has its 221.
bool SmtpClient::Impl::on_late(Time) {
  const bool some_came = lmtp() && active_ && final_reply_seen_ && told_ < recipient_count_;
  if (!some_came || asks_for_replies_ || awaited_.empty() || awaited_.front().asked != Asked::final) return false;
  asks_for_replies_ = true;
  out_.text("QUIT\r\n");
  await(config().command_bound);
  return true;
}

void SmtpClient::Impl::on_handed(Time now) {
  if (asks_for_replies_) return;  // the message went out long before
  if (!active_ || handed() < last_end_) return;
  sent_at_ = now;
  if (body_begun_ && !final_dot_handed_) {
    final_dot_handed_ = true;
    sink_.on_final_dot(jobs_.front().id, now);
  }
}

void SmtpClient::Impl::on_over(const Ended& end, Time now) {
  forward_deviations();
  if (active_ && !jobs_.front().quit) {
    // Before the final dot left us nobody can have taken the message.
    if (refusal_) tell_refusal();
    lost_ = end.reason;
    decide_open(final_dot_handed_ ? Outcome::info : Outcome::fail, !body_begun_, {0, "", end.why});
    complete();
  }
  while (!jobs_.empty()) {
    const Job lost = jobs_.pop();
    const bool whole = active_ && handed() >= last_end_;
    active_ = false;
    const std::string why = fmt::format("never sent: {}", end.why);
    for (std::size_t i = 0; i < lost.envelope.to.size(); ++i)
      sink_.on_recipient(lost.id, {i, Outcome::fail, true, {0, "", why}, false, end.reason}, now);
    sink_.on_done(lost.id, lost.quit && whole ? Outcome::info : Outcome::fail, {}, now);
  }
  sink_.on_ended(end, now);
}

void SmtpClient::Impl::check_limits() {
  if (reader_.unfinished_octets() > config().max_line) {
    saw(reader_.unfinished_line());
    return end(EndReason::dropped, fmt::format("a line of more than {} octets", config().max_line), true);
  }
  if (received() - command_from_ > config().max_response_bytes)
    end_beyond(fmt::format("a reply of more than {} octets", config().max_response_bytes));
}

void SmtpClient::Impl::forward_deviations() {
  if (reader_.deviations().empty()) return;
  // What looks like an enhanced status code is one only where they are offered (RFC 2034 section 3).
  const bool enhanced = extensions_.has("ENHANCEDSTATUSCODES");
  for (const text::Deviation& d : reader_.deviations().take())
    if (enhanced || d.code != "smtp.reply.status-class") sink_.on_deviation({d.code, d.excerpt, d.offset}, now());
}

}  // namespace mailproof::session
