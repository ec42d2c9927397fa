#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/hash.h"
#include "session/pop3/tests/rig.h"

namespace mailproof::session {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

auto rig(TlsMode tls = TlsMode::none, std::string mechanism = "") {
  return [tls, mechanism] { return std::make_unique<Pop3Rig>(pop3_config(tls, mechanism)); };
}

const std::string kCapa = "+OK\r\nTOP\r\nUIDL\r\nPIPELINING\r\nUSER\r\nSTLS\r\n.\r\n";
const std::string kGreeting = "+OK Dovecot (Debian) ready.\r\n";

TEST(Pop3Login, UserAndPass) {
  const std::vector<DialogueStep> steps = {server(kGreeting),
                                           client("CAPA\r\n"),
                                           server(kCapa),
                                           client("USER user0001\r\n"),
                                           server("+OK\r\n"),
                                           client("PASS ***\r\n"),
                                           server("+OK Logged in.\r\n"),
                                           client("CAPA\r\n"),
                                           server(kCapa)};
  const DialogueRun run = play(rig(), steps);
  EXPECT_THAT(run.told, ElementsAre("greeting Dovecot (Debian) ready.", "ready"));
  EXPECT_THAT(run.raw_output, HasSubstr("PASS pass\r\n"));
  expect_every_step_may_fail(rig(), steps, "-ERR [IN-USE] no\r\n");
}

TEST(Pop3Login, Utf8IsSaidBeforeTheLoginWhereItIsOffered) {
  const auto utf8 = [] {
    auto config = pop3_config(TlsMode::none, "");
    config.utf8 = true;
    return std::make_unique<Pop3Rig>(config);
  };
  const std::string offers = "+OK\r\nUSER\r\nUTF8 USER\r\n.\r\n";
  for (const std::string answer : {"+OK messages come as they are\r\n", "-ERR not now\r\n"}) {
    const DialogueRun run = play(utf8, {server(kGreeting), client("CAPA\r\n"), server(offers), client("UTF8\r\n"),
                                        server(answer), client("USER user0001\r\n"), server("+OK\r\n"),
                                        client("PASS ***\r\n"), server("+OK\r\n"), client("CAPA\r\n"), server(offers)});
    EXPECT_EQ(run.told.back(), "ready") << answer;
  }
  const DialogueRun none =
      play(utf8, {server(kGreeting), client("CAPA\r\n"), server(kCapa), client("USER user0001\r\n")});
  EXPECT_THAT(none.raw_output, Not(HasSubstr("UTF8")));
}

TEST(Pop3Login, StlsForgetsWhatWasSaidBefore) {
  const std::string after = "+OK\r\nUIDL\r\nSASL PLAIN LOGIN\r\n.\r\n";
  const std::vector<DialogueStep> steps = {server(kGreeting),
                                           client("CAPA\r\n"),
                                           server(kCapa),
                                           client("STLS\r\n"),
                                           server("+OK Begin TLS negotiation now.\r\n"),
                                           client(""),
                                           tls_up(),
                                           client("CAPA\r\n"),
                                           server(after),
                                           client("AUTH PLAIN ***\r\n"),
                                           server("+OK Logged in.\r\n"),
                                           client("CAPA\r\n"),
                                           server(after)};
  const DialogueRun run = play(rig(TlsMode::starttls), steps);
  EXPECT_EQ(run.told.back(), "ready");
  EXPECT_THAT(run.raw_output, HasSubstr("AUTH PLAIN " + base64(std::string_view("\0user0001\0pass", 14)) + "\r\n"));
  expect_every_step_may_fail(rig(TlsMode::starttls), steps, "-ERR no\r\n");
}

TEST(Pop3Login, EveryCapaThatIsAnsweredIsToldWithItsStage) {
  const auto offers = std::make_shared<Offers>();
  const auto make = [&] { return std::make_unique<Pop3Rig>(pop3_config(TlsMode::starttls), offers); };
  play(make, {server(kGreeting), client("CAPA\r\n"), server("+OK\r\nUSER\r\nSTLS\r\n.\r\n"), client("STLS\r\n"),
              server("+OK go\r\n"), client(""), tls_up(), client("CAPA\r\n"),
              server("+OK\r\nUSER\r\nSASL PLAIN LOGIN\r\n.\r\n"), client("AUTH PLAIN ***\r\n"), server("+OK\r\n"),
              client("CAPA\r\n"), server("+OK\r\nUIDL\r\nLOGIN-DELAY 60\r\n.\r\n")});
  EXPECT_THAT(offers->lines, ElementsAre("plaintext: USER STLS", "secured", "secured: USER SASL PLAIN LOGIN",
                                         "authenticated: UIDL LOGIN-DELAY 60"));
  offers->lines.clear();
  const auto old = [&] { return std::make_unique<Pop3Rig>(pop3_config(), offers); };
  play(old, {server(kGreeting), client("CAPA\r\n"), server("-ERR what?\r\n"), client("USER user0001\r\n")});
  EXPECT_THAT(offers->lines, ElementsAre()) << "nothing is known, which is not the same as nothing offered";
}

TEST(Pop3Login, AskedNotToLogInIsReadyInFrontOfIt) {
  ClientConfig config = pop3_config();
  config.log_in = false;
  const auto make = [&] { return std::make_unique<Pop3Rig>(config); };
  const std::vector<DialogueStep> steps = {server(kGreeting),  client("CAPA\r\n"),
                                           server(kCapa),      act([](Peer& p) { pop3(p).quit(); }),
                                           client("QUIT\r\n"), server("+OK bye\r\n")};
  const DialogueRun run = play(make, steps);
  EXPECT_THAT(run.told,
              ElementsAre("greeting Dovecot (Debian) ready.", "ready", HasSubstr("QUIT"), HasSubstr("clean")));
  EXPECT_THAT(run.raw_output, Not(HasSubstr("user0001")));
}

TEST(Pop3Login, WhatWasOfferedInTheClearIsNotBelievedAfterTls) {
  const std::vector<DialogueStep> steps = {server(kGreeting),
                                           client("CAPA\r\n"),
                                           server("+OK\r\nSTLS\r\nPIPELINING\r\nSASL PLAIN\r\n.\r\n"),
                                           client("STLS\r\n"),
                                           server("+OK\r\n"),
                                           client(""),
                                           tls_up(),
                                           client("CAPA\r\n"),
                                           server("-ERR\r\n"),
                                           client("USER user0001\r\n"),
                                           server("+OK\r\n"),
                                           client("PASS ***\r\n"),
                                           server("+OK\r\n"),
                                           client("CAPA\r\n"),
                                           server("-ERR\r\n"),
                                           act([](Peer& p) {
                                             EXPECT_TRUE(pop3(p).ready());
                                             EXPECT_TRUE(pop3(p).capabilities().empty());
                                             EXPECT_FALSE(pop3(p).has("PIPELINING"));
                                           })};
  EXPECT_EQ(play(rig(TlsMode::starttls), steps).told.back(), "ready");
}

TEST(Pop3Login, BytesBehindTheStlsReplyAreNeverRead) {
  for (const bool same_read : {true, false}) {
    std::vector<DialogueStep> steps = {server(kGreeting), client("CAPA\r\n"), server(kCapa), client("STLS\r\n")};
    const std::string injected = "+OK\r\nSASL PLAIN\r\n.\r\n";
    if (same_read) {
      steps.push_back(server("+OK go\r\n" + injected));
    } else {
      steps.push_back(server("+OK go\r\n"));
      steps.push_back(server(injected));
    }
    steps.push_back(tls_up());
    steps.push_back(client("CAPA\r\n"));
    const DialogueRun run = play(rig(TlsMode::starttls), steps);
    EXPECT_THAT(run.told, ElementsAre("greeting Dovecot (Debian) ready.",
                                      "deviation tls.bytes-behind-starttls '+OK\\r\\nSASL PLAIN\\r\\n.\\r\\n'"));
  }
}

TEST(Pop3Login, EarlyBytesSeenByTheLinkAreADeviation) {
  Pop3Rig r(pop3_config(TlsMode::starttls));
  Peer& peer = r.peer();
  peer.opened(Time{});
  for (const std::string& text : {kGreeting, kCapa, std::string("+OK\r\n")}) peer.feed(as_bytes(text), Time{});
  peer.secured({true, "TLSv1.3", "x", "", 7}, Time{});
  EXPECT_EQ(r.told.back(), "deviation tls.bytes-behind-starttls '7 octets'");
}

TEST(Pop3Login, NeverInTheClearWhereTlsWasAskedFor) {
  const DialogueRun run =
      play(rig(TlsMode::starttls), {server(kGreeting), client("CAPA\r\n"), server("+OK\r\nUSER\r\n.\r\n"), client("")});
  EXPECT_EQ(run.told.back(), "ended dropped pop3 127.0.0.1:110: STLS: TLS is not offered (last seen: \"+OK\")");
}

TEST(Pop3Login, TlsThatFailsEndsTheSession) {
  Pop3Rig r(pop3_config(TlsMode::starttls));
  r.peer().opened(Time{});
  for (const std::string& text : {kGreeting, kCapa, std::string("+OK go\r\n")}) r.peer().feed(as_bytes(text), Time{});
  r.peer().secured({false, "", "", "certificate has expired", 0}, Time{});
  EXPECT_EQ(r.told.back(), "ended tls-failed pop3 127.0.0.1:110: TLS: certificate has expired (last seen: \"+OK go\")");
  r.peer().ended(EndReason::tls_failed, "again", Time{});
  EXPECT_EQ(r.told.size(), 2U);
}

TEST(Pop3Login, WithoutCapaUserIsTried) {
  const std::vector<DialogueStep> steps = {server("+OK\r\n"),
                                           client("CAPA\r\n"),
                                           server("-ERR\r\n"),
                                           client("USER user0001\r\n"),
                                           server("+OK\r\n"),
                                           client("PASS ***\r\n"),
                                           server("+OK\r\n"),
                                           client("CAPA\r\n"),
                                           server("-ERR\r\n"),
                                           act([](Peer& p) {
                                             EXPECT_TRUE(pop3(p).ready());
                                             EXPECT_TRUE(pop3(p).has("TOP"));
                                             EXPECT_TRUE(pop3(p).has("UIDL"));
                                             EXPECT_FALSE(pop3(p).has("PIPELINING"));
                                           })};
  EXPECT_EQ(play(rig(), steps).told.back(), "ready");
}

TEST(Pop3Login, Apop) {
  const std::string stamp = "<1896.697170952@dbc.mtview.ca.us>";
  const std::vector<DialogueStep> steps = {server("+OK POP3 server ready " + stamp + "\r\n"),
                                           client("CAPA\r\n"),
                                           server("+OK\r\nTOP\r\n.\r\n"),
                                           client("APOP user0001 ***\r\n"),
                                           server("+OK maildrop has 1 message\r\n"),
                                           client("CAPA\r\n"),
                                           server("+OK\r\nTOP\r\n.\r\n")};
  const DialogueRun run = play(rig(), steps);
  EXPECT_EQ(run.told.back(), "ready");
  EXPECT_THAT(run.raw_output, HasSubstr(md5_hex(stamp + "pass")));
  expect_every_step_may_fail(rig(), steps, "-ERR permission denied\r\n");
  EXPECT_EQ(play(rig(TlsMode::none, "APOP"), {server("+OK hi\r\n"), client("CAPA\r\n"), server("-ERR\r\n"), client("")})
                .told.back(),
            "ended dropped pop3 127.0.0.1:110: APOP: the greeting has no timestamp (last seen: \"-ERR\")");
}

TEST(Pop3Login, CramMd5AndLoginAnswerChallenges) {
  const std::vector<DialogueStep> cram = {server(kGreeting),
                                          client("CAPA\r\n"),
                                          server("+OK\r\nSASL PLAIN CRAM-MD5\r\n.\r\n"),
                                          client("AUTH CRAM-MD5\r\n"),
                                          server("+ " + base64("<1.2@example.test>") + "\r\n"),
                                          client("***\r\n"),
                                          server("+OK\r\n"),
                                          client("CAPA\r\n"),
                                          server(kCapa)};
  const DialogueRun run = play(rig(), cram);
  EXPECT_EQ(run.told.back(), "ready");
  EXPECT_THAT(run.raw_output, HasSubstr(base64("user0001 " + hmac_md5_hex("pass", "<1.2@example.test>")) + "\r\n"));
  expect_every_step_may_fail(rig(), cram, "-ERR [AUTH] no\r\n");

  const std::vector<DialogueStep> login = {server(kGreeting),
                                           client("CAPA\r\n"),
                                           server("+OK\r\nSASL LOGIN\r\n.\r\n"),
                                           client("AUTH LOGIN\r\n"),
                                           server("+ VXNlcm5hbWU6\r\n"),
                                           client("***\r\n"),
                                           server("+ UGFzc3dvcmQ6\r\n"),
                                           client("***\r\n"),
                                           server("+OK\r\n"),
                                           client("CAPA\r\n"),
                                           server(kCapa)};
  EXPECT_EQ(play(rig(), login).told.back(), "ready");
  expect_every_step_may_fail(rig(), login, "-ERR [AUTH] no\r\n");
}

TEST(Pop3Login, ScramWithoutTheServersProofIsNoLogin) {
  const DialogueRun run = play(rig(TlsMode::none, "SCRAM-SHA-256"),
                               {server(kGreeting), client("CAPA\r\n"), server("+OK\r\nSASL SCRAM-SHA-256\r\n.\r\n"),
                                client("AUTH SCRAM-SHA-256 ***\r\n"), server("+OK welcome\r\n"), client("")});
  EXPECT_THAT(run.told.back(), HasSubstr("broken"));
  EXPECT_THAT(run.told.back(), HasSubstr("without proving that it knows the password"));
}

TEST(Pop3Login, EndsSayWhereAndWhy) {
  const auto last = [](std::vector<DialogueStep> steps) { return play(rig(), steps).told.back(); };
  EXPECT_EQ(last({server("-ERR [SYS/TEMP] too busy\r\n")}),
            "ended dropped pop3 127.0.0.1:110: greeting: refused (last seen: \"-ERR [SYS/TEMP] too busy\")");
  EXPECT_EQ(last({server(kGreeting), client("CAPA\r\n"), server("-ERR\r\n"), client("USER user0001\r\n"),
                  server("+OK\r\n"), client("PASS ***\r\n"), server("-ERR [AUTH] Authentication failed.\r\n")}),
            "ended dropped login-refused pop3 127.0.0.1:110: PASS: login with USER refused (last seen: \"-ERR [AUTH] "
            "Authentication "
            "failed.\")");
  EXPECT_EQ(
      last({server("SSH-2.0-OpenSSH_9.2\r\n")}),
      "ended dropped broken pop3 127.0.0.1:110: greeting: not a POP3 response (last seen: \"SSH-2.0-OpenSSH_9.2\")");
  EXPECT_EQ(play(rig(TlsMode::none, "GSSAPI"), {server(kGreeting), client("CAPA\r\n"), server("-ERR\r\n")}).told.back(),
            "ended dropped pop3 127.0.0.1:110: login: mechanism GSSAPI is not spoken here (last seen: \"-ERR\")");
}

TEST(Pop3Login, AServerThatSaysNothing) {
  Pop3Rig r(pop3_config());
  r.peer().opened(Time{});
  ASSERT_EQ(r.peer().deadline(), Time{} + 10s);
  r.peer().advance(Time{} + 10s);
  EXPECT_EQ(r.told.back(), "ended timeout pop3 127.0.0.1:110: greeting: nothing came within 10s");
}

// RFC 1939 section 4: the maildrop is locked before +OK, and nothing says how soon a server must say that it cannot be.
TEST(Pop3Login, AMaildropThatSomebodyHasIsWaitedForLikeACommand) {
  Pop3Rig r(pop3_config());
  r.peer().opened(Time{});
  for (const std::string& said : {kGreeting, kCapa, std::string("+OK\r\n")}) r.peer().feed(as_bytes(said), Time{});
  EXPECT_EQ(r.peer().deadline(), Time{} + 60s);
  r.peer().feed(as_bytes("-ERR [IN-USE] somebody has it\r\n"), Time{} + 30s);
  EXPECT_THAT(r.told.back(), HasSubstr("ended dropped login-refused"));
}

TEST(Pop3Login, NeverConnected) {
  Pop3Rig r(pop3_config());
  r.peer().ended(EndReason::refused, "connection refused", Time{});
  EXPECT_THAT(r.told, ElementsAre("ended refused pop3 127.0.0.1:110: connect: connection refused"));
}

TEST(Pop3Login, ALineEndInTheCredentialsSendsNothing) {
  ClientConfig config = pop3_config();
  config.login.user = "user\r\nDELE 1";
  Pop3Rig r(config);
  r.peer().opened(Time{});
  r.peer().feed(as_bytes(kGreeting), Time{});
  r.peer().feed(as_bytes("-ERR\r\n"), Time{});
  EXPECT_THAT(r.told.back(), HasSubstr("holds a line end"));
}

}  // namespace
}  // namespace mailproof::session
