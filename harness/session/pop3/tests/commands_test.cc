#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "session/pop3/tests/rig.h"

namespace mailproof::session {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::unique_ptr<SessionRig> rig() { return std::make_unique<Pop3Rig>(pop3_config()); }

/// Brings a session up without CAPA after login, then plays the steps.
std::vector<DialogueStep> logged_in(std::vector<DialogueStep> steps,
                                    const std::string& capa = "+OK\r\nTOP\r\nUIDL\r\nPIPELINING\r\nUSER\r\n.\r\n") {
  std::vector<DialogueStep> all = {server("+OK ready\r\n"),     client("CAPA\r\n"), server(capa),
                                   client("USER user0001\r\n"), server("+OK\r\n"),  client("PASS ***\r\n"),
                                   server("+OK\r\n"),           client("CAPA\r\n"), server(capa)};
  for (DialogueStep& s : steps) all.push_back(std::move(s));
  return all;
}

std::vector<std::string> told(const std::vector<DialogueStep>& steps) {
  std::vector<std::string> lines = play(rig, steps).told;
  lines.erase(lines.begin(), lines.begin() + std::min<std::ptrdiff_t>(2, static_cast<std::ptrdiff_t>(lines.size())));
  return lines;
}

const auto kDownload = [](Peer& p) {
  Pop3Client& c = pop3(p);
  c.stat();
  c.list();
  c.uidl();
  c.retr(1);
  c.top(2, 0);
  c.dele(1);
  c.noop();
  c.rset();
  c.list(2);
  c.uidl(2);
  return c.quit();
};
const std::vector<std::string> kAnswers = {"+OK 2 530\r\n",
                                           "+OK 2 messages:\r\n1 120\r\n2 410\r\n.\r\n",
                                           "+OK\r\n1 whqtswO00WBw418f9t5JxYwZ\r\n2 QhdPYR:00WBw1Ph7x7\r\n.\r\n",
                                           "+OK 39 octets\r\nSubject: dots\r\nMIME-Version: 1.0\r\n\r\n..\r\n.\r\n",
                                           "+OK\r\nSubject: second\r\n\r\n.\r\n",
                                           "+OK Marked to be deleted.\r\n",
                                           "+OK\r\n",
                                           "+OK\r\n",
                                           "+OK 2 410\r\n",
                                           "+OK 2 QhdPYR:00WBw1Ph7x7\r\n",
                                           "+OK Logging out, messages deleted.\r\n"};
const std::vector<std::string> kCommands = {"STAT\r\n",    "LIST\r\n",   "UIDL\r\n", "RETR 1\r\n",
                                            "TOP 2 0\r\n", "DELE 1\r\n", "NOOP\r\n", "RSET\r\n",
                                            "LIST 2\r\n",  "UIDL 2\r\n", "QUIT\r\n"};
const auto kToldOfDownload = ElementsAre(
    "stat 2 530", "done 1 STAT 0 ok [] 2 530", "list 1 120", "list 2 410",
    "done 2 LIST 0 ok [] 2 messages:", "uidl 1 whqtswO00WBw418f9t5JxYwZ", "uidl 2 QhdPYR:00WBw1Ph7x7",
    "done 3 UIDL 0 ok [] ", "content 1", "content end 39 'Subject: dots\r\nMIME-Version: 1.0\r\n\r\n.\r\n'",
    "done 4 RETR 1 ok [] 39 octets", "content 2 top", "content end 19 'Subject: second\r\n\r\n'", "done 5 TOP 2 ok [] ",
    "done 6 DELE 1 ok [] Marked to be deleted.", "done 7 NOOP 0 ok [] ", "done 8 RSET 0 ok [] ", "list 2 410",
    "done 9 LIST 2 ok [] 2 410", "uidl 2 QhdPYR:00WBw1Ph7x7", "done 10 UIDL 2 ok [] 2 QhdPYR:00WBw1Ph7x7",
    "done 11 QUIT 0 ok [] Logging out, messages deleted.",
    "ended dropped clean ready pop3 127.0.0.1:110: QUIT (last seen: \"+OK Logging out, messages deleted.\")");

std::vector<DialogueStep> one_by_one() {
  std::vector<DialogueStep> steps = {asks(kDownload)};
  for (std::size_t i = 0; i < kCommands.size(); ++i) {
    steps.push_back(client(kCommands[i]));
    steps.push_back(server(kAnswers[i]));
  }
  return logged_in(steps);
}

std::vector<DialogueStep> pipelined() {
  std::string commands;
  std::string answers;
  for (const std::string& c : kCommands) commands += c;
  for (const std::string& a : kAnswers) answers += a;
  return logged_in(
      {act([](Peer& p) { pop3(p).pipelining(true); }), asks(kDownload), client(commands), server(answers)});
}

TEST(Pop3Commands, OneByOne) {
  EXPECT_THAT(told(one_by_one()), kToldOfDownload);
  expect_every_step_may_fail(rig, one_by_one(), "-ERR [SYS/TEMP] no\r\n");
}

TEST(Pop3Commands, Pipelined) {
  EXPECT_THAT(told(pipelined()), kToldOfDownload);
  expect_every_step_may_fail(rig, pipelined(), "-ERR [SYS/TEMP] no\r\n");
}

TEST(Pop3Commands, PipeliningNeedsTheServersOffer) {
  const auto steps = logged_in(
      {act([](Peer& p) {
         pop3(p).pipelining(true);
         pop3(p).dele(1);
         pop3(p).dele(2);
       }),
       client("DELE 1\r\n"), server("+OK\r\n"), client("DELE 2\r\n"), server("-ERR There's no message 2.\r\n")},
      "+OK\r\nUSER\r\n.\r\n");
  EXPECT_THAT(told(steps), ElementsAre("done 1 DELE 1 ok [] ", "done 2 DELE 2 fail [] There's no message 2."));
}

TEST(Pop3Commands, AnswersInAnyPieces) {
  std::string answers;
  for (const std::string& a : kAnswers) answers += a;
  auto steps = logged_in({act([](Peer& p) { pop3(p).pipelining(true); }), asks(kDownload)});
  for (const char c : answers) steps.push_back(server(std::string(1, c)));
  steps.insert(
      steps.begin() + 11,
      client("STAT\r\nLIST\r\nUIDL\r\nRETR 1\r\nTOP 2 0\r\nDELE 1\r\nNOOP\r\nRSET\r\nLIST 2\r\nUIDL 2\r\nQUIT\r\n"));
  EXPECT_THAT(told(steps), kToldOfDownload);
}

TEST(Pop3Commands, WhatWasSentIsUnknownAndWhatWasNotFailed) {
  Pop3Rig r(pop3_config());
  Peer& p = r.peer();
  p.opened(Time{});
  for (const char* text : {"+OK\r\n", "+OK\r\nPIPELINING\r\n.\r\n", "+OK\r\n", "+OK\r\n", "+OK\r\nPIPELINING\r\n.\r\n"})
    p.feed(as_bytes(text), Time{});
  std::size_t waiting = 0;
  for (const Output& o : p.output()) waiting += o.bytes.size();
  p.sent(waiting, Time{});
  pop3(p).pipelining(true);
  pop3(p).dele(1);
  pop3(p).dele(2);
  pop3(p).quit();
  p.sent(15, Time{} + 3s);  // "DELE 1\r\n" and most of "DELE 2\r\n"
  p.ended(EndReason::reset, "connection reset", Time{} + 4s);
  EXPECT_THAT(
      std::vector<std::string>(r.told.begin() + 2, r.told.end()),
      ElementsAre("done 1 DELE 1 info [] connection reset", "done 2 DELE 2 fail [] never sent: connection reset",
                  "done 3 QUIT 0 fail [] never sent: connection reset",
                  "ended reset ready pop3 127.0.0.1:110: DELE: connection reset (last seen: \"+OK\")"));
  EXPECT_EQ(pop3(p).noop(), 0U);
}

TEST(Pop3Commands, ResponseCodesArePassedOn) {
  EXPECT_THAT(told(logged_in({act([](Peer& p) { pop3(p).retr(1); }), client("RETR 1\r\n"),
                              server("-ERR [SYS/TEMP] try later\r\n")})),
              ElementsAre("done 1 RETR 1 fail [SYS/TEMP] try later"));
}

TEST(Pop3Commands, MalformedRowsAreDeviations) {
  EXPECT_THAT(
      told(logged_in({act([](Peer& p) {
                        pop3(p).stat();
                        pop3(p).list();
                        pop3(p).uidl();
                      }),
                      client("STAT\r\n"), server("+OK two\r\n"), client("LIST\r\n"), server("+OK\r\n1 ?\r\n.\r\n"),
                      client("UIDL\r\n"), server("+OK\r\n1 a b\r\n2\r\n.\r\n")})),
      ElementsAre("deviation pop3.stat.malformed 'two'", "done 1 STAT 0 ok [] two",
                  "deviation pop3.list.malformed '1 ?'", "done 2 LIST 0 ok [] ",
                  "deviation pop3.uidl.malformed '1 a b'", "uidl 1 a b", "deviation pop3.uidl.malformed '2'",
                  "done 3 UIDL 0 ok [] "));
}

TEST(Pop3Commands, UnaskedWordsAreADeviation) {
  EXPECT_THAT(told(logged_in({server("-ERR Disconnected for inactivity.\r\n"),
                              act([](Peer& p) { p.ended(EndReason::closed, "", Time{}); })})),
              ElementsAre("deviation pop3.response.unasked 'Disconnected for inactivity.'",
                          "ended closed ready pop3 127.0.0.1:110: CAPA: connection closed (last seen: \"-ERR "
                          "Disconnected for inactivity.\")"));
}

TEST(Pop3Commands, AMissingTerminatorIsNamed) {
  EXPECT_THAT(
      told(logged_in({act([](Peer& p) { pop3(p).retr(1); }), client("RETR 1\r\n"), server("+OK\r\nSubject: half\r\n"),
                      act([](Peer& p) { p.ended(EndReason::closed, "", Time{}); })})),
      ElementsAre("content 1", "deviation pop3.text.no-terminator ''", "done 1 RETR 1 info [] connection closed",
                  "ended closed ready pop3 127.0.0.1:110: RETR: connection closed (last seen: \"+OK\")"));
}

TEST(Pop3Commands, ProgressKeepsASlowMessageAlive) {
  Pop3Rig r(pop3_config());
  Peer& p = r.peer();
  p.opened(Time{});
  for (const char* text : {"+OK\r\n", "-ERR\r\n", "+OK\r\n", "+OK\r\n", "-ERR\r\n"}) p.feed(as_bytes(text), Time{});
  EXPECT_FALSE(p.deadline());
  Time now = Time{} + 300s;
  pop3(p).retr(1);  // asked for outside of a call, long after the last one
  ASSERT_TRUE(p.deadline());
  p.advance(now);
  EXPECT_EQ(p.deadline(), now + 60s);
  std::size_t waiting = 0;
  for (const Output& o : p.output()) waiting += o.bytes.size();
  p.sent(waiting, now);
  std::string_view text = "+OK\r\nSubject: slow\r\n\r\n.\r\n";
  for (const char c : text) {
    now += 50s;
    p.feed(as_bytes({&c, 1}), now);
  }
  EXPECT_EQ(r.told.back(), "done 1 RETR 1 ok [] ");
  EXPECT_FALSE(p.deadline());
}

TEST(Pop3Commands, FloodsAndEndlessLinesEndTheSession) {
  const auto flooded = [](std::string_view piece, auto&& limit) {
    ClientConfig config = pop3_config();
    limit(config);
    Pop3Rig r(config);
    Peer& p = r.peer();
    p.opened(Time{});
    for (const char* text : {"+OK\r\n", "-ERR\r\n", "+OK\r\n", "+OK\r\n", "-ERR\r\n"}) p.feed(as_bytes(text), Time{});
    std::size_t waiting = 0;
    pop3(p).list();
    for (const Output& o : p.output()) waiting += o.bytes.size();
    p.sent(waiting, Time{});
    for (int i = 0; i < 10000 && p.wants() != Wants::close; ++i) p.feed(as_bytes(piece), Time{});
    EXPECT_EQ(p.wants(), Wants::close);
    return r.told.back();
  };
  const auto nothing = [](ClientConfig&) {};
  EXPECT_THAT(flooded("+OK endless ", nothing),
              HasSubstr("broken pop3 127.0.0.1:110: LIST: a line of more than 65536 octets"));
  EXPECT_THAT(flooded("+OK\r\n1 1\r\n", [](ClientConfig& c) { c.max_responses = 100; }),
              HasSubstr("more than 100 lines"));
  EXPECT_THAT(flooded("+OK\r\n1 1", [](ClientConfig& c) { c.max_response_bytes = 1000; }),
              HasSubstr("a response of more than 1000 octets"));
}

TEST(Pop3Commands, CommandsMayBeAskedForFromWithinCallbacks) {
  struct Chain final : Pop3Sink {
    Pop3Client* client = nullptr;
    int done = 0;
    void on_ready(Time) override { client->noop(); }
    void on_done(const Pop3Completion&, Time) override {
      if (++done < 3) client->noop();
      if (done == 3) client->give_up("enough");
    }
    void on_stat(std::uint32_t, std::uint64_t, Time) override {}
    void on_list(std::uint32_t, std::uint64_t, Time) override {}
    void on_uidl(std::uint32_t, std::string_view, Time) override {}
    void on_content_begin(std::uint32_t, bool, Time) override {}
    void on_content(std::string_view) override {}
    void on_content_end(std::uint64_t, Time) override {}
    std::string end;
    void on_ended(const Ended& e, Time) override { end = describe(e); }
  } sink;
  Pop3Client c(pop3_config(), sink);
  sink.client = &c;
  c.opened(Time{});
  for (int i = 0; i < 9; ++i) {
    std::size_t waiting = 0;
    for (const Output& o : c.output()) waiting += o.bytes.size();
    if (waiting != 0) c.sent(waiting, Time{});
    c.feed(as_bytes(i == 1 || i == 4 ? "-ERR\r\n" : "+OK\r\n"), Time{});
  }
  EXPECT_EQ(sink.done, 3);
  EXPECT_EQ(sink.end, "ended dropped ready pop3 127.0.0.1:110: NOOP: enough (last seen: \"+OK\")");
}

}  // namespace
}  // namespace mailproof::session
