#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/hash.h"
#include "session/smtp/tests/rig.h"

namespace mailproof::session {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

auto rig(ClientConfig config = smtp_config()) {
  return [config] { return std::make_unique<SmtpRig>(config); };
}

const std::string kGreeting = "220 mail.example.test ESMTP\r\n";
const std::string kEhlo = "EHLO client.example.test\r\n";

TEST(SmtpBringUp, Ehlo) {
  const std::vector<DialogueStep> steps = {server(kGreeting), client(kEhlo),
                                           server("250-mail.example.test\r\n250-SIZE 1000\r\n250 PIPELINING\r\n"),
                                           act([](Peer& p) {
                                             EXPECT_TRUE(smtp(p).ready());
                                             EXPECT_TRUE(smtp(p).has("PIPELINING"));
                                             EXPECT_FALSE(smtp(p).has("DSN"));
                                             EXPECT_THAT(smtp(p).extensions(), ElementsAre("PIPELINING", "SIZE 1000"));
                                           })};
  EXPECT_THAT(play(rig(), steps).told, ElementsAre("greeting 220 [] mail.example.test ESMTP",
                                                   "EHLO: 250 [] mail.example.test / SIZE 1000 / PIPELINING", "ready"));
  expect_every_step_may_fail(rig(), steps, "554 5.7.1 no\r\n");
}

TEST(SmtpBringUp, HeloWhereEhloIsNotKnown) {
  const std::vector<DialogueStep> steps = {server(kGreeting), client(kEhlo), server("502 5.5.1 what?\r\n"),
                                           client("HELO client.example.test\r\n"), server("250 mail.example.test\r\n")};
  EXPECT_EQ(play(rig(), steps).told.back(), "ready");
  expect_every_step_may_fail(rig(), steps, "421 4.3.2 closing\r\n");
}

TEST(SmtpBringUp, LmtpSaysLhlo) {
  const auto lmtp = rig(smtp_config(Protocol::lmtp));
  const std::vector<DialogueStep> steps = {server(kGreeting), client("LHLO client.example.test\r\n"),
                                           server("250-x\r\n250 PIPELINING\r\n")};
  EXPECT_EQ(play(lmtp, steps).told.back(), "ready");
  EXPECT_THAT(
      play(lmtp, {server(kGreeting), client("LHLO client.example.test\r\n"), server("500 5.5.1 what?\r\n"), client("")})
          .told.back(),
      HasSubstr("ended dropped lmtp 127.0.0.1:25: LHLO: refused"));
}

TEST(SmtpBringUp, EveryEhloIsToldWithItsStageAndWithoutALoginNobodyLogsIn) {
  const auto offers = std::make_shared<Offers>();
  ClientConfig config = smtp_config(Protocol::smtp, TlsMode::starttls, true);
  config.log_in = false;
  const auto make = [&] { return std::make_unique<SmtpRig>(config, offers); };
  const DialogueRun run =
      play(make, {server(kGreeting), client(kEhlo), server("250-x\r\n250 STARTTLS\r\n"), client("STARTTLS\r\n"),
                  server("220 2.0.0 go\r\n"), client(""), tls_up(), client(kEhlo),
                  server("250-x\r\n250-AUTH PLAIN\r\n250 SIZE 1000\r\n"), client("")});
  EXPECT_EQ(run.told.back(), "ready");
  EXPECT_THAT(offers->lines, ElementsAre("plaintext: STARTTLS", "secured", "secured: AUTH PLAIN SIZE 1000"));
}

TEST(SmtpBringUp, StarttlsThenEhloAgain) {
  const auto tls = rig(smtp_config(Protocol::smtp, TlsMode::starttls));
  const std::vector<DialogueStep> steps = {server(kGreeting),
                                           client(kEhlo),
                                           server("250-x\r\n250-DSN\r\n250 STARTTLS\r\n"),
                                           client("STARTTLS\r\n"),
                                           server("220 2.0.0 go\r\n"),
                                           client(""),
                                           tls_up(),
                                           client(kEhlo),
                                           server("250-x\r\n250 SIZE\r\n"),
                                           act([](Peer& p) { EXPECT_FALSE(smtp(p).has("DSN")); })};
  EXPECT_EQ(play(tls, steps).told.back(), "ready");
  expect_every_step_may_fail(tls, steps, "454 4.7.0 TLS not available\r\n");
  EXPECT_THAT(play(tls, {server(kGreeting), client(kEhlo), server("250 x\r\n"), client("")}).told.back(),
              HasSubstr("STARTTLS: TLS is not offered"));
}

TEST(SmtpBringUp, BytesBehindTheStarttlsReplyAreNeverRead) {
  const auto tls = rig(smtp_config(Protocol::smtp, TlsMode::starttls));
  const DialogueRun run =
      play(tls, {server(kGreeting), client(kEhlo), server("250-x\r\n250 STARTTLS\r\n"), client("STARTTLS\r\n"),
                 server("220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n"), server("250 more\r\n"), tls_up(), client(kEhlo)});
  EXPECT_THAT(run.told,
              ElementsAre("greeting 220 [] mail.example.test ESMTP", "EHLO: 250 [] x / STARTTLS", "STARTTLS: 220 [] go",
                          "deviation tls.bytes-behind-starttls '250-evil\\r\\n250 AUTH PLAIN\\r\\n'",
                          "deviation tls.bytes-behind-starttls '250 more\\r\\n'"));
}

TEST(SmtpBringUp, AuthPlainWithInitialResponse) {
  const auto auth = rig(smtp_config(Protocol::smtp, TlsMode::none, true));
  const std::vector<DialogueStep> steps = {server(kGreeting), client(kEhlo),
                                           server("250-x\r\n250 AUTH PLAIN LOGIN\r\n"), client("AUTH PLAIN ***\r\n"),
                                           server("235 2.7.0 ok\r\n")};
  const DialogueRun run = play(auth, steps);
  EXPECT_EQ(run.told.back(), "ready");
  EXPECT_THAT(run.raw_output, HasSubstr(base64(std::string_view("\0user0001\0pass", 14))));
  expect_every_step_may_fail(auth, steps, "535 5.7.8 no\r\n");
  EXPECT_THAT(
      play(auth, {server(kGreeting), client(kEhlo), server("250-x\r\n250 AUTH EXTERNAL\r\n"), client("")}).told.back(),
      HasSubstr("AUTH: no mechanism is offered that is spoken here"));
}

TEST(SmtpBringUp, AuthWithChallenges) {
  const auto auth = rig(smtp_config(Protocol::smtp, TlsMode::none, true, "LOGIN"));
  const std::vector<DialogueStep> steps = {server(kGreeting),
                                           client(kEhlo),
                                           server("250-x\r\n250 AUTH LOGIN\r\n"),
                                           client("AUTH LOGIN\r\n"),
                                           server("334 VXNlcm5hbWU6\r\n"),
                                           client("***\r\n"),
                                           server("334 UGFzc3dvcmQ6\r\n"),
                                           client("***\r\n"),
                                           server("235 2.7.0 ok\r\n")};
  EXPECT_EQ(play(auth, steps).told.back(), "ready");
  expect_every_step_may_fail(auth, steps, "535 5.7.8 no\r\n");
  EXPECT_THAT(play(auth, {server(kGreeting), client(kEhlo), server("250 x\r\n"), client("AUTH LOGIN\r\n"),
                          server("334 ?\r\n"), client("")})
                  .told.back(),
              HasSubstr("the challenge is not base64"));
}

TEST(SmtpBringUp, EndsSayWhereAndWhy) {
  EXPECT_EQ(play(rig(), {server("554 5.7.1 go away\r\n")}).told.back(),
            "ended dropped smtp 127.0.0.1:25: greeting: refused (last seen: \"554 5.7.1 go away\")");
  EXPECT_EQ(play(rig(), {server("+OK POP3\r\n")}).told.back(),
            "ended dropped broken smtp 127.0.0.1:25: greeting: not an SMTP reply (last seen: \"+OK POP3\")");
}

TEST(SmtpBringUp, EndlessRepliesEndTheSession) {
  ClientConfig config = smtp_config();
  config.max_response_bytes = 1U << 30;
  SmtpRig r(config);
  r.peer().opened(Time{});
  for (int i = 0; i < 20000 && r.peer().wants() != Wants::close; ++i)
    r.peer().feed(as_bytes("220-still here\r\n"), Time{});
  EXPECT_THAT(r.told.back(), HasSubstr("a reply without end"));
  SmtpRig line(smtp_config());
  line.peer().opened(Time{});
  for (int i = 0; i < 20000 && line.peer().wants() != Wants::close; ++i)
    line.peer().feed(as_bytes("220 still here "), Time{});
  EXPECT_THAT(line.told.back(), HasSubstr("a line of more than 65536 octets"));
}

}  // namespace
}  // namespace mailproof::session
