#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "session/smtp/tests/rig.h"

namespace mailproof::session {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

auto rig(Protocol protocol = Protocol::smtp) {
  return [protocol] { return std::make_unique<SmtpRig>(smtp_config(protocol)); };
}

std::vector<DialogueStep> ready(const std::string& extensions, std::vector<DialogueStep> steps, bool lmtp = false) {
  std::string reply = "250-mail.example.test\r\n" + extensions + "250 HELP\r\n";
  std::vector<DialogueStep> all = {server("220 mail.example.test\r\n"),
                                   client(fmt::format("{} client.example.test\r\n", lmtp ? "LHLO" : "EHLO")),
                                   server(reply)};
  for (DialogueStep& s : steps) all.push_back(std::move(s));
  return all;
}

/// What was told after readiness.
std::vector<std::string> told(const std::vector<DialogueStep>& steps, Protocol protocol = Protocol::smtp) {
  std::vector<std::string> lines = play(rig(protocol), steps).told;
  lines.erase(lines.begin(), lines.begin() + std::min<std::ptrdiff_t>(3, static_cast<std::ptrdiff_t>(lines.size())));
  return lines;
}

const std::string kStuffed =
    "From: user0002@example.test\r\nSubject: dots\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; "
    "charset=utf-8\r\n\r\none\r\n..two\r\n.\r\n";
const std::string kPipelining = "250-PIPELINING\r\n";

std::vector<DialogueStep> step_by_step() {
  return ready("250-SIZE 1000\r\n250-8BITMIME\r\n",
               {send_to({"a@example.test", "b@example.test"}), client("MAIL FROM:<user0002@example.test> SIZE=117\r\n"),
                server("250 2.1.0 Ok\r\n"), client("RCPT TO:<a@example.test>\r\n"), server("250 2.1.5 Ok\r\n"),
                client("RCPT TO:<b@example.test>\r\n"), server("550 5.1.1 no such user\r\n"), client("DATA\r\n"),
                server("354 go\r\n"), client(kStuffed), server("250 2.0.0 queued\r\n"),
                asks([](Peer& p) { return smtp(p).quit(); }), client("QUIT\r\n"), server("221 2.0.0 Bye\r\n")});
}

std::vector<DialogueStep> pipelined() {
  return ready(
      kPipelining,
      {send_to({"a@example.test", "b@example.test"}), asks([](Peer& p) { return smtp(p).quit(); }),
       client("MAIL FROM:<user0002@example.test>\r\nRCPT TO:<a@example.test>\r\nRCPT TO:<b@example.test>\r\nDATA\r\n"),
       server("250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n550 5.1.1 no such user\r\n354 go\r\n"), client(kStuffed),
       server("250 2.0.0 queued\r\n"), client("QUIT\r\n"), server("221 2.0.0 Bye\r\n")});
}

const auto kToldOfBoth =
    ElementsAre("MAIL: 250 [2.1.0] Ok", "RCPT: 250 [2.1.5] Ok", "RCPT: 550 [5.1.1] no such user", "DATA: 354 [] go",
                "dot 1", "end of data: 250 [2.0.0] queued", "recipient 1.0 ok 250 [2.0.0] queued",
                "recipient 1.1 fail at-rcpt 550 [5.1.1] no such user", "done 1 ok", "QUIT: 221 [2.0.0] Bye",
                "done 2 ok", "ended dropped clean ready smtp 127.0.0.1:25: QUIT (last seen: \"221 2.0.0 Bye\")");

TEST(SmtpTransaction, StepByStep) {
  EXPECT_THAT(told(step_by_step()), kToldOfBoth);
  expect_every_step_may_fail(rig(), step_by_step(), "451 4.3.0 no\r\n");
}

TEST(SmtpTransaction, Pipelined) {
  EXPECT_THAT(told(pipelined()), kToldOfBoth);
  expect_every_step_may_fail(rig(), pipelined(), "451 4.3.0 no\r\n");
}

TEST(SmtpTransaction, PipelinedWithEveryRecipientRefusedSendsALoneDot) {
  EXPECT_THAT(
      told(ready(kPipelining,
                 {send_to({"a@example.test"}),
                  client("MAIL FROM:<user0002@example.test>\r\nRCPT TO:<a@example.test>\r\nDATA\r\n"),
                  server("250 Ok\r\n550 5.1.1 no\r\n354 go\r\n"), client(".\r\n"),
                  server("554 5.5.1 no valid recipients\r\n"), send_to({"b@example.test"}),
                  client("RSET\r\nMAIL FROM:<user0002@example.test>\r\nRCPT TO:<b@example.test>\r\nDATA\r\n")})),
      ElementsAre("MAIL: 250 [] Ok", "RCPT: 550 [5.1.1] no", "recipient 1.0 fail at-rcpt 550 [5.1.1] no",
                  "DATA: 354 [] go", "end of data: 554 [5.5.1] no valid recipients", "done 1 fail"));
}

TEST(SmtpTransaction, ARefusedSenderRefusesAll) {
  const auto expected = ElementsAre("MAIL: 550 [5.7.1] no", "recipient 1.0 fail at-rcpt 550 [5.7.1] no",
                                    "recipient 1.1 fail at-rcpt 550 [5.7.1] no", "done 1 fail");
  EXPECT_THAT(
      told(ready("", {send_to({"a@example.test", "b@example.test"}), client("MAIL FROM:<user0002@example.test>\r\n"),
                      server("550 5.7.1 no\r\n"), client("")})),
      expected);
  const auto lines =
      told(ready(kPipelining, {send_to({"a@example.test"}),
                               client("MAIL FROM:<user0002@example.test>\r\nRCPT TO:<a@example.test>\r\nDATA\r\n"),
                               server("550 5.7.1 no\r\n503 need MAIL\r\n503 need RCPT\r\n"), client("")}));
  EXPECT_THAT(lines, ElementsAre("MAIL: 550 [5.7.1] no", "recipient 1.0 fail at-rcpt 550 [5.7.1] no",
                                 "RCPT: 503 [] need MAIL", "DATA: 503 [] need RCPT", "done 1 fail"));
}

TEST(SmtpTransaction, ARefusedTransactionIsResetBeforeTheNext) {
  EXPECT_THAT(told(ready("", {send_to({"a@example.test"}), send_to({"b@example.test"}),
                              client("MAIL FROM:<user0002@example.test>\r\n"), server("250 Ok\r\n"),
                              client("RCPT TO:<a@example.test>\r\n"), server("452 4.2.2 full\r\n"), client("RSET\r\n"),
                              server("250 Ok\r\n"), client("MAIL FROM:<user0002@example.test>\r\n"),
                              server("250 Ok\r\n"), client("RCPT TO:<b@example.test>\r\n"), server("250 Ok\r\n"),
                              client("DATA\r\n"), server("552 5.2.2 full\r\n"), client("")})),
              ElementsAre("MAIL: 250 [] Ok", "RCPT: 452 [4.2.2] full", "recipient 1.0 fail at-rcpt 452 [4.2.2] full",
                          "done 1 fail", "RSET: 250 [] Ok", "MAIL: 250 [] Ok", "RCPT: 250 [] Ok",
                          "DATA: 552 [5.2.2] full", "recipient 2.0 fail at-rcpt 552 [5.2.2] full", "done 2 fail"));
}

TEST(SmtpTransaction, LmtpRepliesOncePerAcceptedRecipient) {
  const std::vector<DialogueStep> steps =
      ready(kPipelining,
            {send_to({"a@example.test", "b@example.test", "c@example.test"}),
             client("MAIL FROM:<user0002@example.test>\r\nRCPT TO:<a@example.test>\r\nRCPT TO:<b@example.test>\r\nRCPT "
                    "TO:<c@example.test>\r\nDATA\r\n"),
             server("250 Ok\r\n250 Ok\r\n550 5.1.1 unknown\r\n250 Ok\r\n354 go\r\n"), client(kStuffed),
             server("250 2.0.0 <a@example.test> Saved\r\n"),
             server("552 5.2.2 <c@example.test> Quota exceeded (mailbox for user is full)\r\n")},
            true);
  EXPECT_THAT(told(steps, Protocol::lmtp),
              ElementsAre("MAIL: 250 [] Ok", "RCPT: 250 [] Ok", "RCPT: 550 [5.1.1] unknown", "RCPT: 250 [] Ok",
                          "DATA: 354 [] go", "dot 1", "end of data: 250 [2.0.0] <a@example.test> Saved",
                          "recipient 1.0 ok 250 [2.0.0] <a@example.test> Saved",
                          "recipient 1.1 fail at-rcpt 550 [5.1.1] unknown",
                          "end of data: 552 [5.2.2] <c@example.test> Quota exceeded (mailbox for user is full)",
                          "recipient 1.2 fail 552 [5.2.2] <c@example.test> Quota exceeded (mailbox for user is full)",
                          "done 1 ok"));
  expect_every_step_may_fail(rig(Protocol::lmtp), steps, "451 4.3.0 no\r\n");
}

std::vector<DialogueStep> lmtp_data(std::vector<DialogueStep> after) {
  std::vector<DialogueStep> steps = {
      send_to({"a@example.test", "b@example.test"}),
      client("MAIL FROM:<user0002@example.test>\r\nRCPT TO:<a@example.test>\r\nRCPT TO:<b@example.test>\r\nDATA\r\n"),
      server("250 Ok\r\n250 Ok\r\n250 Ok\r\n354 go\r\n"), client(kStuffed)};
  for (DialogueStep& s : after) steps.push_back(std::move(s));
  return ready(kPipelining, steps, true);
}

TEST(SmtpTransaction, LmtpRepliesThatDoNotComeOnALivingConnectionAreADeviation) {
  const auto late = act([](Peer& p) { p.advance(p.deadline().value_or(Time{})); });
  const auto lines =
      told(lmtp_data({server("250 saved\r\n"), late, client("QUIT\r\n"), server("221 bye\r\n")}), Protocol::lmtp);
  EXPECT_THAT(lines, testing::Contains("deviation lmtp.replies.missing '221 bye'"));
}

// RFC 5321 section 4.5.3.2.6: who is slow owes nothing yet, and may still answer.
TEST(SmtpTransaction, LmtpRepliesThatComeLateAreReplies) {
  const auto late = act([](Peer& p) { p.advance(p.deadline().value_or(Time{})); });
  const auto came =
      told(lmtp_data({server("250 saved\r\n"), late, client("QUIT\r\n"), server("250 saved too\r\n")}), Protocol::lmtp);
  EXPECT_THAT(came, testing::Contains("recipient 1.1 ok 250 [] saved too"));
  EXPECT_THAT(came, testing::Contains("done 1 ok"));
  EXPECT_THAT(came, testing::Not(testing::Contains(testing::HasSubstr("missing"))));
  const auto silent = told(lmtp_data({server("250 saved\r\n"), late, client("QUIT\r\n"), late}), Protocol::lmtp);
  EXPECT_THAT(silent, testing::Contains(testing::HasSubstr("recipient 1.1 info")));
  EXPECT_THAT(silent, testing::Not(testing::Contains(testing::HasSubstr("missing"))));
}

TEST(SmtpTransaction, LmtpRepliesThatAConnectionWasLostBeforeAreUnknown) {
  auto lines = told(lmtp_data({server("250 saved\r\n"), act([](Peer& p) { p.ended(EndReason::closed, "", Time{}); })}),
                    Protocol::lmtp);
  lines.erase(lines.begin(), lines.begin() + 4);
  EXPECT_THAT(
      lines,
      ElementsAre("dot 1", "end of data: 250 [] saved", "recipient 1.0 ok 250 [] saved",
                  "recipient 1.1 info 0 [] connection closed", "done 1 ok",
                  "ended closed ready lmtp 127.0.0.1:25: end of data: connection closed (last seen: \"250 saved\")"));
}

TEST(SmtpTransaction, ExtraLmtpRepliesAreADeviation) {
  for (const bool next_waits : {false, true}) {
    std::vector<DialogueStep> after;
    if (next_waits) after.push_back(send_to({"c@example.test"}));
    after.push_back(server("250 saved\r\n250 saved\r\n250 one more\r\n"));
    if (next_waits)
      after.push_back(client("MAIL FROM:<user0002@example.test>\r\nRCPT TO:<c@example.test>\r\nDATA\r\n"));
    EXPECT_THAT(told(lmtp_data(std::move(after)), Protocol::lmtp).back(),
                "deviation lmtp.replies.extra '250 one more'");
  }
}

/// Up to the moment before the last `left` octets of the message are handed over.
std::unique_ptr<SmtpRig> in_the_middle(std::size_t left) {
  auto r = std::make_unique<SmtpRig>(smtp_config());
  Peer& p = r->peer();
  const auto drain = [&p](std::size_t keep) {
    std::size_t n = 0;
    for (const Output& o : p.output()) n += o.bytes.size();
    p.sent(n - keep, Time{} + 1s);
  };
  p.opened(Time{});
  p.feed(as_bytes("220 x\r\n"), Time{});
  drain(0);
  p.feed(as_bytes("250-x\r\n250 PIPELINING\r\n"), Time{});
  send_to({"a@example.test"}).action(p);
  drain(0);
  p.feed(as_bytes("250 Ok\r\n250 Ok\r\n354 go\r\n"), Time{});
  drain(left);
  r->told.clear();
  return r;
}

TEST(SmtpTransaction, ConnectionLostAroundTheFinalDot) {
  auto before = in_the_middle(1);
  before->peer().ended(EndReason::reset, "", Time{});
  EXPECT_THAT(before->told,
              ElementsAre("recipient 1.0 fail 0 [] connection reset", "done 1 fail", HasSubstr("ended reset")));
  auto behind = in_the_middle(0);
  behind->peer().ended(EndReason::reset, "", Time{});
  EXPECT_THAT(behind->told,
              ElementsAre("recipient 1.0 info 0 [] connection reset", "done 1 info", HasSubstr("ended reset")));
}

TEST(SmtpTransaction, ARefusalInTheMiddleOfTheMessageEndsTheSession) {
  auto r = in_the_middle(20);
  r->peer().feed(as_bytes("552 5.3.4 too big\r\n"), Time{});
  EXPECT_THAT(r->told, ElementsAre("end of data: 552 [5.3.4] too big", "recipient 1.0 fail 552 [5.3.4] too big",
                                   "done 1 fail", HasSubstr("end of data: refused in the middle of the message")));
  EXPECT_EQ(r->peer().wants(), Wants::close);
  auto odd = in_the_middle(20);
  odd->peer().feed(as_bytes("250 already\r\n"), Time{});
  EXPECT_THAT(odd->told, ElementsAre("deviation smtp.reply.unasked '250 already'"));
}

TEST(SmtpTransaction, SizeIsDeclaredAndRespected) {
  const std::string why = "refused locally, nothing was sent: message size 117 exceeds the announced limit 100";
  EXPECT_THAT(told(ready("250-SIZE 100\r\n", {send_to({"a@example.test", "b@example.test"}), due(), client("")})),
              ElementsAre("recipient 1.0 fail at-rcpt locally 552 [5.3.4] " + why,
                          "recipient 1.1 fail at-rcpt locally 552 [5.3.4] " + why, "done 1 fail"));
  play(rig(), ready("250-SIZE 0\r\n",
                    {send_to({"a@example.test"}), client("MAIL FROM:<user0002@example.test> SIZE=117\r\n")}));
  play(rig(),
       ready("250-SIZE\r\n", {send_to({"a@example.test"}), client("MAIL FROM:<user0002@example.test> SIZE=117\r\n")}));
}

TEST(SmtpTransaction, ParametersOnlyWhereOffered) {
  const auto with_dsn = act([](Peer& p) {
    smtp(p).send({"", {"a@example.test"}, "FAILURE,DELAY", "HDRS", "env 1"},
                 std::make_shared<const std::string>(mime_message(true)));
  });
  play(rig(), ready("250-DSN\r\n250-8BITMIME\r\n" + kPipelining,
                    {with_dsn, client("MAIL FROM:<> BODY=8BITMIME RET=HDRS ENVID=env+201\r\nRCPT TO:<a@example.test> "
                                      "NOTIFY=FAILURE,DELAY\r\nDATA\r\n")}));
  play(rig(), ready(kPipelining, {with_dsn, client("MAIL FROM:<>\r\nRCPT TO:<a@example.test>\r\nDATA\r\n")}));
}

TEST(SmtpTransaction, WhatCannotBeSaidIsNotSaid) {
  for (const char* address : {"a@example.test>\r\nRCPT TO:<evil@example.test", "<a@example.test", "a\r@example.test"})
    EXPECT_THAT(
        told(ready("", {send_to({address}), send_to({}), due(), due(), client("")})),
        ElementsAre("recipient 1.0 fail at-rcpt locally 0 [] refused locally, nothing was sent: an address holds "
                    "a line end or an angle bracket",
                    "done 1 fail", "done 2 fail"));
}

/// Who asks gets his number first: an outcome from inside the request would be nobody's.
TEST(SmtpTransaction, ALocalRefusalIsToldFromTheLoop) {
  SmtpRig r(smtp_config());
  r.peer().opened(Time{});
  r.peer().feed(as_bytes("220 x\r\n"), Time{});
  r.peer().sent(r.peer().output().front().bytes.size(), Time{});
  r.peer().feed(as_bytes("250-x\r\n250 SIZE 100\r\n"), Time{});
  r.told.clear();
  const auto big = std::make_shared<const std::string>(mime_message());
  const CommandId first = smtp(r.peer()).send({"", {"a@example.test"}, "", "", ""}, big);
  EXPECT_EQ(first, 1U);
  EXPECT_TRUE(r.told.empty());
  ASSERT_EQ(r.peer().deadline(), Time{}) << "at once, but not from inside";
  r.peer().advance(Time{});
  EXPECT_THAT(r.told, ElementsAre(HasSubstr("recipient 1.0 fail at-rcpt locally"), "done 1 fail"));
  EXPECT_FALSE(r.peer().deadline());
  r.told.clear();
  smtp(r.peer()).send({"", {"a@example.test"}, "", "", ""}, big);
  r.peer().ended(EndReason::reset, "", Time{});
  EXPECT_THAT(r.told,
              ElementsAre(HasSubstr("recipient 2.0 fail at-rcpt locally"), "done 2 fail", HasSubstr("ended reset")));
}

TEST(SmtpTransaction, AnUndottedMessageGoesOutWithoutACopy) {
  SmtpRig r(smtp_config());
  Peer& p = r.peer();
  const auto message = std::make_shared<const std::string>("Subject: plain\r\n\r\nbody\r\n");
  p.opened(Time{});
  for (const char* text : {"220 x\r\n", "250 x\r\n"}) {
    p.feed(as_bytes(text), Time{});
    std::size_t n = 0;
    for (const Output& o : p.output()) n += o.bytes.size();
    p.sent(n, Time{});
  }
  smtp(p).send({"", {"a@example.test"}, "", "", ""}, message);
  for (const char* text : {"250 Ok\r\n", "250 Ok\r\n", "354 go\r\n"}) {
    std::size_t n = 0;
    for (const Output& o : p.output()) n += o.bytes.size();
    p.sent(n, Time{});
    p.feed(as_bytes(text), Time{});
  }
  ASSERT_EQ(p.output().size(), 2U);
  EXPECT_EQ(as_text(p.output()[0].bytes).data(), message->data());
  EXPECT_EQ(as_text(p.output()[1].bytes), ".\r\n");
}

TEST(SmtpTransaction, GivingUpWithinACallbackIsSafe) {
  struct Quitter final : SmtpSink {
    SmtpClient* client = nullptr;
    int when = 0;
    int calls = 0;
    int done = 0;
    int recipients = 0;
    int ended = 0;
    void call() {
      if (++calls == when) client->give_up("enough");
    }
    void on_ready(Time) override {
      for (int i = 0; i < 2; ++i)
        client->send({"", {"a@example.test", "b@example.test"}, "", "", ""},
                     std::make_shared<const std::string>(mime_message()));
      call();
    }
    void on_reply(std::string_view, const SmtpReply&, Time) override { call(); }
    void on_final_dot(CommandId, Time) override { call(); }
    void on_recipient(CommandId, const RecipientResult&, Time) override {
      ++recipients;
      call();
    }
    void on_done(CommandId, Outcome, Time, Time) override {
      ++done;
      call();
    }
    void on_ended(const Ended&, Time) override { ++ended; }
  };
  for (const char* extensions : {"250 HELP\r\n", "250-x\r\n250 PIPELINING\r\n"}) {
    for (const char* mail : {"250 Ok\r\n", "550 no\r\n"}) {
      for (int when = 1; when < 25; ++when) {
        Quitter sink;
        sink.when = when;
        SmtpClient c(smtp_config(), "client.example.test", sink);
        sink.client = &c;
        c.opened(Time{});
        const auto say = [&c](std::string_view text) {
          std::size_t n = 0;
          for (const Output& o : c.output()) n += o.bytes.size();
          if (n != 0) c.sent(n, Time{});
          c.feed(as_bytes(text), Time{});
        };
        say("220 x\r\n");
        say(extensions);
        for (int message = 0; message < 2; ++message)
          for (const char* text : {mail, "250 Ok\r\n", "550 no\r\n", "354 go\r\n", "250 saved\r\n"}) say(text);
        c.ended(EndReason::closed, "", Time{});
        const bool sent_any = sink.done != 0;
        EXPECT_EQ(sink.done, sent_any ? 2 : 0) << extensions << mail << when;
        EXPECT_EQ(sink.recipients, sent_any ? 4 : 0) << extensions << mail << when;
        EXPECT_EQ(sink.ended, 1);
      }
    }
  }
}

}  // namespace
}  // namespace mailproof::session
