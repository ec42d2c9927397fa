#include "session/smtp/tests/rig.h"

#include <fmt/format.h>

namespace mailproof::session {
namespace {

std::string describe(const SmtpReply& r) { return fmt::format("{} [{}] {}", r.code, r.enhanced, r.text); }

}  // namespace

std::vector<std::string> SmtpRig::odd_answers() const {
  return {"421 4.3.2 closing\r\n",
          "550-5.7.1 no\r\n550 5.7.1 and never\r\n",
          "250 2.0.0 fine\r\n",
          "354 go\r\n",
          "334 \r\n",
          "599\r\n"};
}

std::vector<std::string> SmtpRig::floods() const {
  return {"250 2.0.0 fine\r\n", "421 4.3.2 closing\r\n", "354 go\r\n",  "550 5.7.1 no\r\n",
          "250-more\r\n",       "334 VXNlcm5hbWU6\r\n",  "250 no end ", "\r"};
}

void SmtpRig::on_greeting(const SmtpReply& reply, Time) { told.push_back(fmt::format("greeting {}", describe(reply))); }
void SmtpRig::on_ready(Time) { told.emplace_back("ready"); }
void SmtpRig::on_reply(std::string_view command, const SmtpReply& reply, Time) {
  told.push_back(fmt::format("{}: {}", command, describe(reply)));
}
void SmtpRig::on_final_dot(CommandId id, Time) { told.push_back(fmt::format("dot {}", id)); }
void SmtpRig::on_recipient(CommandId id, const RecipientResult& r, Time) {
  told.push_back(fmt::format("recipient {}.{} {}{} {}", id, r.recipient, session::describe(r.outcome),
                             r.locally   ? " at-rcpt locally"
                             : r.at_rcpt ? " at-rcpt"
                                         : "",
                             describe(r.reply)));
}
void SmtpRig::on_done(CommandId id, Outcome outcome, Time, Time) {
  told.push_back(fmt::format("done {} {}", id, session::describe(outcome)));
}
void SmtpRig::on_deviation(const Deviation& d, Time) {
  told.push_back(fmt::format("deviation {} '{}'", d.code, d.excerpt));
}
void SmtpRig::on_ended(const Ended& ended, Time) { told.push_back(session::describe(ended)); }

ClientConfig smtp_config(Protocol protocol, TlsMode tls, bool auth, std::string mechanism) {
  ClientConfig config;
  config.endpoint.protocol = protocol;
  config.endpoint.port = 25;
  config.endpoint.tls = tls;
  config.endpoint.auth = auth;
  config.max_response_bytes = 128U << 10;
  config.max_responses = 1000;
  config.login = {"user0001", Secret("pass"), std::move(mechanism)};
  return config;
}

std::string mime_message(bool eight_bit) {
  return fmt::format(
      "From: user0002@example.test\r\nSubject: dots\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; "
      "charset=utf-8\r\n\r\n"
      "one{}\r\n.two\r\n",
      eight_bit ? " gr\xc3\xbc\xc3\x9f" : "");
}

DialogueStep due() {
  return act([](Peer& p) {
    if (const auto at = p.deadline()) p.advance(*at);
  });
}

DialogueStep send_to(std::vector<std::string> recipients, std::string message) {
  const std::size_t count = recipients.size();
  return asks(
      [recipients, message](Peer& p) {
        Envelope envelope;
        envelope.from = "user0002@example.test";
        envelope.to = recipients;
        return smtp(p).send(envelope, std::make_shared<const std::string>(message));
      },
      count);
}

}  // namespace mailproof::session
