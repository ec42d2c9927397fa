// An SMTP and an LMTP session from the greeting to QUIT, as they should go, and with each step failing in every way.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/hash.h"
#include "session/smtp/tests/rig.h"

namespace mailproof::session {
namespace {

using ::testing::Contains;
using ::testing::StartsWith;
using Steps = std::vector<DialogueStep>;

Steps operator+(Steps left, const Steps& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

const std::string kA = "a@example.test", kB = "b@example.test", kC = "c@example.test";
const std::string kMessage = "Subject: dots\r\n\r\n.\r\n", kStuffed = "Subject: dots\r\n\r\n..\r\n.\r\n";
const std::string kMail = "MAIL FROM:<user0002@example.test>\r\n";
std::string rcpt(const std::string& to) { return fmt::format("RCPT TO:<{}>\r\n", to); }

Steps hello(const std::string& word, const std::string& extensions) {
  return {client(word + " client.example.test\r\n"), server("250-mail.example.test\r\n" + extensions + "250 HELP\r\n")};
}
const Steps kGreeting = {server("220-mail.example.test\r\n220 ESMTP\r\n")};
const Steps kStarttls = {client("STARTTLS\r\n"), server("220 2.0.0 go\r\n"), tls_up()};
const Steps kAuth = {client("AUTH CRAM-MD5\r\n"), server("334 " + base64("<1.2@example.test>") + "\r\n"),
                     client("***\r\n"), server("235 2.7.0 ok\r\n")};
const Steps kQuit = {asks([](Peer& p) { return smtp(p).quit(); }), client("QUIT\r\n"), server("221 2.0.0 bye\r\n")};

/// One recipient; then three, of whom one is refused; then one who is refused, and the transaction is taken back.
Steps messages() {
  return {send_to({kA}, kMessage),
          client(kMail),
          server("250 2.1.0 ok\r\n"),
          client(rcpt(kA)),
          server("250 2.1.5 ok\r\n"),
          client("DATA\r\n"),
          server("354 go\r\n"),
          client(kStuffed),
          server("250 2.0.0 queued\r\n"),
          send_to({kA, kB, kC}, kMessage),
          client(kMail),
          server("250 2.1.0 ok\r\n"),
          client(rcpt(kA)),
          server("250 2.1.5 ok\r\n"),
          client(rcpt(kB)),
          server("550 5.1.1 no such user\r\n"),
          client(rcpt(kC)),
          server("251 2.1.5 will forward\r\n"),
          client("DATA\r\n"),
          server("354 go\r\n"),
          client(kStuffed),
          server("250 2.0.0 queued\r\n"),
          send_to({kB}, kMessage),
          send_to({kC}, kMessage),
          client(kMail),
          server("250 2.1.0 ok\r\n"),
          client(rcpt(kB)),
          server("452 4.2.2 full\r\n"),
          client("RSET\r\n"),
          server("250 2.0.0 ok\r\n"),
          client(kMail),
          server("250 2.1.0 ok\r\n"),
          client(rcpt(kC)),
          server("250 2.1.5 ok\r\n"),
          client("DATA\r\n"),
          server("552 5.2.2 full\r\n")};
}

Steps pipelined(const std::vector<std::string>& finals) {
  Steps steps = {send_to({kA}, kMessage),
                 client(kMail + rcpt(kA) + "DATA\r\n"),
                 server("250 ok\r\n250 ok\r\n354 go\r\n"),
                 client(kStuffed),
                 server("250 2.0.0 queued\r\n"),
                 send_to({kA, kB, kC}, kMessage),
                 client(kMail + rcpt(kA) + rcpt(kB) + rcpt(kC) + "DATA\r\n"),
                 server("250 ok\r\n250 ok\r\n550 5.1.1 no such user\r\n250 ok\r\n354 go\r\n"),
                 client(kStuffed)};
  for (const std::string& text : finals) steps.push_back(server(text));
  return steps + Steps{send_to({kB}, kMessage),
                       send_to({kC}, kMessage),
                       client(kMail + rcpt(kB) + "DATA\r\n"),
                       server("250 ok\r\n452 4.2.2 full\r\n503 5.5.1 no recipients\r\n"),
                       client("RSET\r\n" + kMail + rcpt(kC) + "DATA\r\n"),
                       server("250 ok\r\n250 ok\r\n250 ok\r\n552 5.2.2 full\r\n")};
}

void expect_whole(const ClientConfig& config, const Steps& steps) {
  const auto make = [&] { return std::make_unique<SmtpRig>(config); };
  const DialogueRun run = play(make, steps);
  EXPECT_THAT(run.told, Contains(StartsWith("recipient 2.0 ok 250 ")));
  EXPECT_THAT(run.told, Contains("recipient 2.1 fail at-rcpt 550 [5.1.1] no such user"));
  EXPECT_THAT(run.told, Contains("done 2 ok"));
  EXPECT_THAT(run.told, Contains("recipient 4.0 fail at-rcpt 552 [5.2.2] full"));
  EXPECT_THAT(run.told.back(), StartsWith("ended dropped clean ready "));
  expect_every_step_may_fail(make, steps, "451 4.3.0 no\r\n");
}

TEST(SmtpWhole, StarttlsAuthAndMessagesStepByStep) {
  expect_whole(smtp_config(Protocol::smtp, TlsMode::starttls, true),
               kGreeting + hello("EHLO", "250-STARTTLS\r\n") + kStarttls +
                   hello("EHLO", "250-AUTH PLAIN CRAM-MD5\r\n") + kAuth + messages() + kQuit);
}

TEST(SmtpWhole, AServerOfRfc821) {
  const Steps helo = {client("EHLO client.example.test\r\n"), server("500 what?\r\n"),
                      client("HELO client.example.test\r\n"), server("250 mail.example.test\r\n")};
  expect_whole(smtp_config(), kGreeting + helo + messages() + kQuit);
}

TEST(SmtpWhole, Pipelined) {
  expect_whole(smtp_config(),
               kGreeting + hello("EHLO", "250-PIPELINING\r\n") + pipelined({"250 2.0.0 queued\r\n"}) + kQuit);
}

TEST(SmtpWhole, LmtpPipelined) {
  expect_whole(smtp_config(Protocol::lmtp), kGreeting + hello("LHLO", "250-PIPELINING\r\n") +
                                                pipelined({"250 2.0.0 saved\r\n", "552 5.2.2 full\r\n"}) + kQuit);
}

/// Both answers of one message in one read.
TEST(SmtpWhole, LmtpAnswersTogether) {
  expect_whole(smtp_config(Protocol::lmtp), kGreeting + hello("LHLO", "250-PIPELINING\r\n") +
                                                pipelined({"250 2.0.0 saved\r\n451 4.3.0 later\r\n"}) + kQuit);
}

}  // namespace
}  // namespace mailproof::session
