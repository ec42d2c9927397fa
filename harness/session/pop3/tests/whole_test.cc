// A POP3 session from its greeting to QUIT, as it should go, and with each step failing in every way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/hash.h"
#include "session/pop3/tests/rig.h"

namespace mailproof::session {
namespace {

using ::testing::Contains;
using ::testing::StartsWith;
using Steps = std::vector<DialogueStep>;

Steps operator+(Steps left, const Steps& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

const std::string kStamp = "<1896.697170952@dbc.mtview.ca.us>";
const std::string kClear = "+OK\r\nTOP\r\nUIDL\r\nUSER\r\nSTLS\r\n.\r\n";
const std::string kOffers = "+OK\r\nTOP\r\nUIDL\r\nPIPELINING\r\nSASL PLAIN CRAM-MD5\r\n.\r\n";

Steps greeting(const std::string& capa) {
  return {server("+OK POP3 ready " + kStamp + "\r\n"), client("CAPA\r\n"), server(capa)};
}
const Steps kStls = {client("STLS\r\n"), server("+OK begin\r\n"), tls_up(), client("CAPA\r\n"), server(kOffers)};
const Steps kUser = {client("USER user0001\r\n"), server("+OK\r\n"), client("PASS ***\r\n"), server("+OK in\r\n")};
const Steps kApop = {client("APOP user0001 ***\r\n"), server("+OK maildrop locked and ready\r\n")};
const Steps kPlain = {client("AUTH PLAIN ***\r\n"), server("+OK in\r\n")};
const Steps kCram = {client("AUTH CRAM-MD5\r\n"), server("+ " + base64("<1.2@example.test>") + "\r\n"),
                     client("***\r\n"), server("+OK in\r\n")};
const Steps kLoggedIn = {client("CAPA\r\n"), server(kOffers)};

struct Exchange {
  std::string command, answer;
};
const std::vector<Exchange> kExchanges = {{"STAT\r\n", "+OK 2 530\r\n"},
                                          {"LIST\r\n", "+OK 2 messages\r\n1 120\r\n2 410\r\n.\r\n"},
                                          {"UIDL\r\n", "+OK\r\n1 whqtswO00WBw418f\r\n2 QhdPYR:00WBw1Ph\r\n.\r\n"},
                                          {"TOP 1 0\r\n", "+OK\r\nSubject: dots\r\n\r\n.\r\n"},
                                          {"RETR 1\r\n", "+OK 21 octets\r\nSubject: dots\r\n\r\n..\r\n.\r\n"},
                                          {"DELE 1\r\n", "+OK marked\r\n"},
                                          {"RSET\r\n", "+OK\r\n"},
                                          {"DELE 2\r\n", "-ERR [SYS/PERM] no\r\n"},
                                          {"QUIT\r\n", "+OK bye\r\n"}};

CommandId download(Peer& p) {
  Pop3Client& c = pop3(p);
  c.stat();
  c.list();
  c.uidl();
  c.top(1, 0);
  c.retr(1);
  c.dele(1);
  c.rset();
  c.dele(2);
  return c.quit();
}

Steps one_by_one() {
  Steps steps = {asks(download)};
  for (const Exchange& e : kExchanges) steps = steps + Steps{client(e.command), server(e.answer)};
  return steps;
}

Steps all_at_once() {
  std::string commands, answers;
  for (const Exchange& e : kExchanges) {
    commands += e.command;
    answers += e.answer;
  }
  return {act([](Peer& p) { pop3(p).pipelining(true); }), asks(download), client(commands), server(answers)};
}

void expect_whole(TlsMode tls, const std::string& mechanism, const Steps& steps) {
  const auto make = [&] { return std::make_unique<Pop3Rig>(pop3_config(tls, mechanism)); };
  const DialogueRun run = play(make, steps);
  EXPECT_THAT(run.told, Contains("content end 20 'Subject: dots\r\n\r\n.\r\n'"));
  EXPECT_THAT(run.told, Contains("done 8 DELE 2 fail [SYS/PERM] no"));
  EXPECT_THAT(run.told.back(), StartsWith("ended dropped clean ready "));
  expect_every_step_may_fail(make, steps, "-ERR [IN-USE] no\r\n");
}

TEST(Pop3Whole, StlsThenAuth) {
  expect_whole(TlsMode::starttls, "", greeting(kClear) + kStls + kCram + kLoggedIn + one_by_one());
}

TEST(Pop3Whole, StlsThenAuthPlainAndPipelined) {
  expect_whole(TlsMode::starttls, "PLAIN", greeting(kClear) + kStls + kPlain + kLoggedIn + all_at_once());
}

TEST(Pop3Whole, UserAndPassInTheClear) {
  expect_whole(TlsMode::none, "", greeting(kClear) + kUser + kLoggedIn + one_by_one());
}

TEST(Pop3Whole, Apop) { expect_whole(TlsMode::none, "APOP", greeting(kClear) + kApop + kLoggedIn + one_by_one()); }

TEST(Pop3Whole, AServerWithoutCapa) {
  const Steps unknown = {client("CAPA\r\n"), server("-ERR what?\r\n")};
  expect_whole(TlsMode::none, "", greeting("-ERR what?\r\n") + kUser + unknown + one_by_one());
}

}  // namespace
}  // namespace mailproof::session
