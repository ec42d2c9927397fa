#include "server/smtp/session.h"

namespace mailproof::server {

void SmtpSession::starttls(std::string_view arguments) {
  if (!takes_none(arguments)) return;
  if (secure()) return write("503 5.5.1 TLS is up already\r\n");
  if (!context().options.offer_tls) return write("502 5.5.1 TLS is not offered\r\n");
  write("220 2.0.0 begin TLS\r\n");
  start_tls();
}

void SmtpSession::auth(std::string_view arguments) {
  if (lmtp_) return write("502 5.5.1 AUTH is not offered\r\n");
  if (!extended_) return write("503 5.5.1 EHLO comes first\r\n");
  if (authenticated_ || envelope_) return write("503 5.5.1 not now\r\n");
  const auto space = arguments.find(' ');
  const auto mechanism = sasl::parse_mechanism(arguments.substr(0, space));
  if (!mechanism) return write("504 5.5.4 mechanism not known\r\n");
  if (!offered(*mechanism, may_send_password())) return write("538 5.7.11 STARTTLS comes first\r\n");
  exchange_.emplace(context(), *mechanism);
  go_on(exchange_->begin(space == std::string_view::npos ? std::nullopt : std::optional(arguments.substr(space + 1))));
}

/// RFC 4954 section 4 and 6.
void SmtpSession::go_on(const SaslExchange::Step& step) {
  using Kind = SaslExchange::Step::Kind;
  if (step.kind == Kind::challenge) return print("334 {}\r\n", step.challenge);
  exchange_.reset();
  switch (step.kind) {
    case Kind::success:
      authenticated_ = true;
      return write("235 2.7.0 welcome\r\n");
    case Kind::cancelled:
      return write("501 5.7.0 cancelled\r\n");
    case Kind::malformed:
      return write("501 5.5.2 not base64\r\n");
    default:
      return write("535 5.7.8 wrong user or password\r\n");
  }
}

}  // namespace mailproof::server
