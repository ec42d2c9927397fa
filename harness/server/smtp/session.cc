#include "server/smtp/session.h"

#include "core/bytes.h"

namespace mailproof::server {

using smtp::Verb;

const SmtpSession::Command SmtpSession::kCommands[] = {
    {Verb::helo, &SmtpSession::helo}, {Verb::ehlo, &SmtpSession::ehlo}, {Verb::lhlo, &SmtpSession::lhlo},
    {Verb::mail, &SmtpSession::mail}, {Verb::rcpt, &SmtpSession::rcpt}, {Verb::data, &SmtpSession::data},
    {Verb::rset, &SmtpSession::rset}, {Verb::noop, &SmtpSession::noop}, {Verb::quit, &SmtpSession::quit},
    {Verb::vrfy, &SmtpSession::vrfy}, {Verb::help, &SmtpSession::help}, {Verb::starttls, &SmtpSession::starttls},
    {Verb::auth, &SmtpSession::auth}, {Verb::bdat, &SmtpSession::bdat},
};

std::unique_ptr<Connection> make_smtp(ServerContext& context, bool tls, bool lmtp) {
  return std::make_unique<SmtpSession>(context, tls, lmtp);
}

void SmtpSession::on_open() { print("220 {} {} mailproof\r\n", context().options.host, lmtp_ ? "LMTP" : "ESMTP"); }

void SmtpSession::on_bytes(std::string_view bytes) {
  ends_nowhere_wrongly_ = false;
  while (open() && !bytes.empty()) {
    if (reader_) {
      take_data(bytes);
      continue;
    }
    if (chunk_) {
      take_chunk(bytes);
      continue;
    }
    lines_.set_limit(exchange_ ? smtp::kSaslLineLimit : smtp::kCommandLimit);
    const auto line = lines_.next(bytes);
    if (!line) break;
    if (exchange_) {
      go_on(line->cut ? SaslExchange::Step{.kind = SaslExchange::Step::Kind::malformed, .challenge = {}}
                      : exchange_->line(line->text));
    } else if (line->cut) {
      write("500 5.5.2 line too long\r\n");
    } else {
      handle(line->text);
    }
  }
}

void SmtpSession::handle(std::string_view line) {
  const auto parsed = smtp::parse_command(line);
  for (const auto& command : kCommands) {
    if (command.verb == parsed.verb) return (this->*command.run)(parsed.arguments);
  }
  write(parsed.verb == Verb::unknown ? "500 5.5.2 command not recognized\r\n"
                                     : "502 5.5.1 command not implemented\r\n");
}

void SmtpSession::helo(std::string_view arguments) {
  if (lmtp_) return write("500 5.5.1 this is LMTP: say LHLO\r\n");  // RFC 2033 section 4.1
  greet(arguments, false);
}

void SmtpSession::ehlo(std::string_view arguments) {
  if (lmtp_) return write("500 5.5.1 this is LMTP: say LHLO\r\n");
  greet(arguments, true);
}

void SmtpSession::lhlo(std::string_view arguments) {
  if (!lmtp_) return write("500 5.5.1 this is SMTP: say EHLO\r\n");
  greet(arguments, true);
}

void SmtpSession::greet(std::string_view client, bool extended) {
  if (client.empty()) return write("501 5.5.4 who are you?\r\n");
  client_ = printable(client, 255);
  extended_ = extended;
  forget();
  const auto& options = context().options;
  if (!extended) return print("250 {}\r\n", options.host);
  print(
      "250-{}\r\n250-ENHANCEDSTATUSCODES\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-CHUNKING\r\n250-DSN\r\n250-SIZE "
      "{}\r\n",
      options.host, kSizeLimit);
  if (options.offer_tls && !secure()) write("250-STARTTLS\r\n");
  if (!lmtp_) print("250-AUTH {}\r\n", offered_mechanisms(may_send_password()));
  write("250 SMTPUTF8\r\n");
}

bool SmtpSession::takes_none(std::string_view arguments) {
  if (arguments.empty()) return true;
  write("501 5.5.4 no argument expected\r\n");
  return false;
}

void SmtpSession::rset(std::string_view arguments) {
  if (!takes_none(arguments)) return;
  forget();
  write("250 2.0.0 forgotten\r\n");
}

void SmtpSession::noop(std::string_view) { write("250 2.0.0 nothing done\r\n"); }

/// RFC 5321 section 3.5.3: what cannot be verified without giving users away is answered with 252.
void SmtpSession::vrfy(std::string_view arguments) {
  write(arguments.empty() ? "501 5.5.4 verify whom?\r\n" : "252 2.1.5 send mail and see\r\n");
}

void SmtpSession::help(std::string_view) { write("214 2.0.0 RFC 5321 and RFC 2033 say what can be said here\r\n"); }

void SmtpSession::quit(std::string_view arguments) {
  if (!takes_none(arguments)) return;
  print("221 2.0.0 {} closes\r\n", context().options.host);
  close();
}

/// RFC 3207 section 4.2: everything learnt in the clear is forgotten.
void SmtpSession::on_secured() {
  client_.clear();
  extended_ = false;
  authenticated_ = false;
  forget();
}

/// RFC 5321 section 4.1.1.10: a transaction that the connection broke off is cancelled.
void SmtpSession::on_end() {
  if (reader_ && context().has(defect("delivery.half-a-mail-delivered"))) finish_data();
}

}  // namespace mailproof::server
