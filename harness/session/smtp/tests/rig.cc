#include "session/smtp/tests/rig.h"

#include <fmt/format.h>

namespace mailproof::session {
namespace {

std::string describe(const SmtpReply& r) { return fmt::format("{} [{}] {}", r.code, r.enhanced, r.text); }

}  // namespace

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
  return act([recipients, message](Peer& p) {
    Envelope envelope;
    envelope.from = "user0002@example.test";
    envelope.to = recipients;
    smtp(p).send(envelope, std::make_shared<const std::string>(message));
  });
}

}  // namespace mailproof::session
