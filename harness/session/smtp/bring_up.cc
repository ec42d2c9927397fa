#include <fmt/format.h>

#include "session/smtp/impl.h"

namespace mailproof::session {
namespace {

constexpr std::size_t kAuthLine = 512;  // RFC 5321 section 4.5.3.1.4, CRLF included

}  // namespace

void SmtpClient::Impl::on_open(Time) {
  step("greeting");
  awaited_.push({Asked::greeting, 0, 0});
  await(config().greeting_bound);
}

void SmtpClient::Impl::on_tls(Time) {
  // RFC 3207 section 4.2: nothing learnt before TLS counts.
  secured_ = true;
  reader_ = smtp::ReplyReader();
  extensions_.clear();
  extension_lines_.clear();
  say_hello();
}

void SmtpClient::Impl::say_hello() { command(Asked::hello, fmt::format("{} {}", lmtp() ? "LHLO" : "EHLO", helo_)); }

void SmtpClient::Impl::bring_up_reply(Asked asked, const smtp::Reply& reply, std::string_view behind) {
  switch (asked) {
    case Asked::greeting:
      if (!reply.positive()) return end(EndReason::dropped, "refused");
      sink_.on_greeting(view(reply), now());
      if (!over()) say_hello();
      return;
    case Asked::hello:
      // RFC 5321 section 3.2: a server that does not know EHLO is greeted with HELO.
      if (reply.permanent() && !lmtp()) return command(Asked::helo, fmt::format("HELO {}", helo_));
      return greeted_back(reply);
    case Asked::helo:
      return greeted_back(reply);
    case Asked::starttls:
      if (!reply.positive()) return end(EndReason::dropped, "TLS refused");
      step("TLS");
      await(config().greeting_bound);
      return start_tls(behind);
    default:
      return auth_reply(reply);
  }
}

void SmtpClient::Impl::greeted_back(const smtp::Reply& reply) {
  if (!reply.positive()) return end(EndReason::dropped, "refused");
  extensions_.read(reply);
  extension_lines_.clear();
  for (const auto& [keyword, parameters] : extensions_.all())
    extension_lines_.push_back(parameters.empty() ? keyword : keyword + " " + parameters);
  const bool secure = secured_ || config().endpoint.tls == TlsMode::implicit;
  sink_.on_extensions(extension_lines_, secure ? Stage::secured : Stage::plaintext, now());
  if (!over()) after_hello();
}

void SmtpClient::Impl::after_hello() {
  if (config().endpoint.tls == TlsMode::starttls && !secured_) {
    step("STARTTLS");
    // Never on in the clear: a server that does not offer what was asked for ends the session.
    if (!extensions_.has("STARTTLS")) return end(EndReason::dropped, "TLS is not offered");
    return command(Asked::starttls, "STARTTLS");
  }
  if (config().endpoint.auth && config().log_in && !lmtp()) return log_in();
  become_ready();
}

void SmtpClient::Impl::log_in() {
  step("AUTH");
  const Login& login = config().login;
  const auto mechanism =
      login.mechanism.empty() ? sasl::choose(extensions_.auth(), true) : sasl::parse_mechanism(login.mechanism);
  if (!mechanism && login.mechanism.empty())
    return end(EndReason::dropped, "no mechanism is offered that is spoken here");
  if (!mechanism)
    return end(EndReason::dropped, fmt::format("mechanism {} is not spoken here", printable(login.mechanism, 40)));
  sasl_.emplace(*mechanism, config(), now());
  sasl_->begin(out_, kAuthLine);
  expect(Asked::auth);
}

void SmtpClient::Impl::auth_reply(const smtp::Reply& reply) {
  if (reply.intermediate()) {
    const auto answered = sasl_->challenge(reply.first_line(), out_);
    if (!answered) return end(EndReason::dropped, answered.error().message(), true);
    return expect(Asked::auth);
  }
  if (!reply.positive()) {
    set_login_refused();
    return end(EndReason::dropped, fmt::format("login with {} refused", sasl_->mechanism()));
  }
  const auto proven = sasl_->accepted();
  if (!proven) return end(EndReason::dropped, proven.error().message(), true);
  sasl_.reset();
  become_ready();
}

void SmtpClient::Impl::become_ready() {
  await_nothing();
  set_ready();
  sink_.on_ready(now());
  if (!over()) pump();
}

}  // namespace mailproof::session
