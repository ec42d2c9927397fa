#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "session/smtp/impl.h"
#include "wire/smtp/command.h"
#include "wire/text/dot_stuffing.h"

namespace mailproof::session {
namespace {

bool is_eight_bit(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

/// An address that would end its command or its path early.
bool is_unsendable(std::string_view address) {
  return address.find_first_of(std::string_view("\r\n\0<>", 5)) != std::string_view::npos;
}

}  // namespace

CommandId SmtpClient::Impl::ask(Job job) {
  if (over()) return 0;
  job.id = ++last_id_;
  jobs_.push(std::move(job));
  const CommandId id = last_id_;
  pump();
  return id;
}

void SmtpClient::Impl::pump() {
  while (is_ready() && !active_ && !jobs_.empty()) begin();
}

void SmtpClient::Impl::begin() {
  active_ = true;
  sent_at_ = Time{};
  body_begun_ = final_dot_handed_ = final_reply_seen_ = false;
  told_ = 0;
  const Job& job = jobs_.front();
  recipient_count_ = job.envelope.to.size();
  if (job.quit) return command(Asked::quit, "QUIT");
  if (recipients_.size() < recipient_count_) recipients_.resize(recipient_count_);
  for (std::size_t i = 0; i < recipient_count_; ++i) recipients_[i].state = Recipient::State::undecided;
  if (find_refusal()) return soon();
  pipelined_ = extensions_.has("PIPELINING") && !chunked();
  if (reset_needed_) {
    reset_needed_ = false;
    command(Asked::rset, "RSET");
    if (!pipelined_) return;
  }
  write_mail();
}

/// What the server said it will not take, and what cannot be said at all. Of the front job.
bool SmtpClient::Impl::find_refusal() {
  const Job& job = jobs_.front();
  const auto limit = extensions_.size();
  if (limit && *limit != 0 && job.message->size() > *limit) {
    // RFC 1870 section 6.1 and RFC 3463: what the server would answer to MAIL.
    refusal_ = {552, "5.3.4",
                fmt::format("refused locally, nothing was sent: message size {} exceeds the announced limit {}",
                            job.message->size(), *limit)};
  } else if (is_unsendable(job.envelope.from) ||
             std::any_of(job.envelope.to.begin(), job.envelope.to.end(), is_unsendable)) {
    refusal_ = {0, "", "refused locally, nothing was sent: an address holds a line end or an angle bracket"};
  } else if (job.envelope.to.empty()) {
    refusal_ = {0, "", "refused locally, nothing was sent: there is no recipient"};
  }
  return refusal_.has_value();
}

void SmtpClient::Impl::tell_refusal() {
  const Refusal why = *std::exchange(refusal_, std::nullopt);
  refused_ = true;
  decide_open(Outcome::fail, true, {why.code, why.enhanced, why.text});
  refused_ = false;
}

void SmtpClient::Impl::on_soon(Time) {
  if (!refusal_) return;
  tell_refusal();
  if (!over()) complete();
}

void SmtpClient::Impl::write_mail() {
  const Job& job = jobs_.front();
  smtp::MailFrom mail;
  mail.path = job.envelope.from;
  if (extensions_.has("SIZE")) mail.size = job.message->size();
  if (extensions_.has("8BITMIME") && is_eight_bit(*job.message)) mail.body = smtp::Body::eight_bit_mime;
  if (extensions_.has("DSN")) {
    mail.envid = job.envelope.envid;
    if (!job.envelope.ret.empty()) mail.ret = iequals(job.envelope.ret, "FULL") ? smtp::Ret::full : smtp::Ret::headers;
  }
  command(Asked::mail, smtp::mail_command(mail));
  if (!pipelined_) return;
  for (std::size_t i = 0; i < recipient_count_; ++i) write_rcpt(i);
  command(Asked::data, "DATA");
}

void SmtpClient::Impl::write_rcpt(std::size_t recipient) {
  const Envelope& envelope = jobs_.front().envelope;
  const bool dsn = !envelope.notify.empty() && extensions_.has("DSN");
  command(Asked::rcpt,
          dsn ? fmt::format("RCPT TO:<{}> NOTIFY={}", envelope.to[recipient], envelope.notify)
              : fmt::format("RCPT TO:<{}>", envelope.to[recipient]),
          recipient);
}

void SmtpClient::Impl::after_mail(const smtp::Reply& reply) {
  after_message_ = false;
  if (!reply.positive()) {
    decide_open(Outcome::fail, true, view(reply));
    if (!over() && !pipelined_) complete();
    return;
  }
  reset_needed_ = true;
  if (!pipelined_) write_rcpt(0);
}

void SmtpClient::Impl::after_rcpt(std::size_t recipient, const smtp::Reply& reply) {
  if (recipients_[recipient].state == Recipient::State::undecided) {
    if (reply.positive()) {
      recipients_[recipient].state = Recipient::State::accepted;
    } else {
      decide(recipient, Outcome::fail, true, view(reply));
    }
  }
  if (over() || pipelined_) return;
  if (recipient + 1 < recipient_count_) return write_rcpt(recipient + 1);
  if (accepted() == 0) return complete();
  if (chunked()) return write_chunk();
  command(Asked::data, "DATA");
}

std::size_t SmtpClient::Impl::accepted() const {
  std::size_t n = 0;
  for (std::size_t i = 0; i < recipient_count_; ++i) n += recipients_[i].state == Recipient::State::accepted ? 1 : 0;
  return n;
}

void SmtpClient::Impl::after_data(const smtp::Reply& reply) {
  if (reply.code == 354) return write_body();
  if (!reply.permanent() && !reply.transient()) note("smtp.data.unexpected", reply.summary(), received());
  if (!over()) decide_open(Outcome::fail, true, view(reply));
  if (!over()) complete();
}

void SmtpClient::Impl::write_body() {
  const std::size_t takers = accepted();
  if (takers == 0) {
    // RFC 2920 section 3.1: DATA went out with the RCPTs that were all refused; the server wants its dot all the same.
    out_.text(".\r\n");
    return expect(Asked::final, recipient_count_);
  }
  const auto& message = jobs_.front().message;
  if (text::needs_dot_stuffing(*message)) {
    out_.body(std::make_shared<const std::string>(text::dot_stuffed(*message)));
  } else {
    out_.body(message);
    out_.text(".\r\n");
  }
  body_begun_ = true;
  reset_needed_ = false;
  await_final();
}

void SmtpClient::Impl::await_final() {
  if (!lmtp()) return expect(Asked::final, recipient_count_);
  for (std::size_t i = 0; i < recipient_count_; ++i)
    if (recipients_[i].state == Recipient::State::accepted) expect(Asked::final, i);
}

/// The whole message as one chunk, its octets as they are (RFC 3030 section 2): no reply asks for it, none ends it but
/// the last.
void SmtpClient::Impl::write_chunk() {
  const auto& message = jobs_.front().message;
  out_.text(fmt::format("BDAT {} LAST\r\n", message->size()));
  out_.body(message);
  body_begun_ = true;
  reset_needed_ = false;
  await_final();
}

/// SMTP: one reply speaks for all accepted recipients. LMTP: one each, in order (RFC 2033 section 4.2).
void SmtpClient::Impl::after_final(std::size_t recipient, const smtp::Reply& reply) {
  // RFC 5321 section 4.2.1: 3yz asks for more, where there is no more. Whether the message was taken nobody can say.
  if (reply.intermediate())
    return end(EndReason::dropped, fmt::format("{} where a message is taken or refused", reply.code), true);
  const Outcome outcome = reply.positive() ? Outcome::ok : Outcome::fail;
  final_reply_seen_ = true;
  after_message_ = true;
  if (recipient < recipient_count_) {
    decide(recipient, outcome, false, view(reply));
  } else {
    decide_open(outcome, false, view(reply));
  }
  const bool more = !awaited_.empty() && awaited_.front().asked == Asked::final;
  if (!over() && !more) complete();
}

/// The server refuses while we still send: the rest of the message would be taken for commands.
void SmtpClient::Impl::refused_in_the_middle(const smtp::Reply& reply) {
  sink_.on_reply(command_name(Asked::final), view(reply), now());
  if (!over()) decide_open(Outcome::fail, false, view(reply));
  if (!over()) end(EndReason::dropped, "refused in the middle of the message");
}

void SmtpClient::Impl::decide(std::size_t recipient, Outcome outcome, bool at_rcpt, const SmtpReply& reply) {
  Recipient& r = recipients_[recipient];
  r.state = Recipient::State::decided;
  r.outcome = outcome;
  r.at_rcpt = at_rcpt;
  r.code = reply.code;
  r.enhanced = reply.enhanced;
  r.text = reply.text;
  tell_decided();
}

void SmtpClient::Impl::decide_open(Outcome outcome, bool at_rcpt, const SmtpReply& reply) {
  for (std::size_t i = 0; i < recipient_count_; ++i)
    if (recipients_[i].state != Recipient::State::decided) decide(i, outcome, at_rcpt, reply);
}

/// Recipients are told in order, so one that is decided early waits for those before it.
void SmtpClient::Impl::tell_decided() {
  while (told_ < recipient_count_ && recipients_[told_].state == Recipient::State::decided) {
    const Recipient& r = recipients_[told_];
    sink_.on_recipient(jobs_.front().id,
                       {told_++,
                        r.outcome,
                        r.at_rcpt,
                        {r.code, r.enhanced, r.text},
                        refused_,
                        r.code == 0 && !refused_ ? lost_ : EndReason::none},
                       now());
  }
}

void SmtpClient::Impl::complete() {
  Outcome outcome = Outcome::fail;
  for (std::size_t i = 0; i < recipient_count_; ++i) {
    const Outcome one = recipients_[i].outcome;
    if (one == Outcome::ok || (one == Outcome::info && outcome == Outcome::fail)) outcome = one;
  }
  const CommandId id = jobs_.pop().id;
  active_ = false;
  sink_.on_done(id, outcome, sent_at_, now());
  if (over()) return;
  asks_for_replies_ ? end_clean() : pump();  // QUIT was said
}

}  // namespace mailproof::session
