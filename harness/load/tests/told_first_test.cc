#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "load/limits.h"
#include "load/report.h"

// What must be known before any figure.

namespace mailproof::load {
namespace {

using judge::Verdict;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A plan of ten customers: so many messages were due, so many of them were handed over and accepted.
LoadResult plan(std::uint64_t due, std::uint64_t accepted) {
  LoadResult out;
  out.stories = {"office"};
  out.plan.name = "office";
  out.target = "node-7";
  out.ended = "2026-11-30T09:00:00Z";
  auto& deliver = out.all.operations.at(out.all.operations.id("lmtp.deliver"));
  for (std::uint64_t i = 0; i < due; ++i) {
    deliver.due();
    if (i >= accepted) {
      deliver.never(milliseconds(100), 1);
      continue;
    }
    deliver.begin(Time{}, Time{});
    deliver.succeed(Time{}, Time{}, Time{} + milliseconds(1));
  }
  out.all.ledger.copies = 10;
  out.all.ledger.sent = out.all.ledger.accepted = accepted;
  out.all.ledger.fates["present"] = accepted;
  out.by_story = {out.all};
  return out;
}

/// So many sessions of it, of which so many were broken off.
void with_sessions(LoadResult& result, int all, int broken) {
  auto& connects = result.all.operations.at(result.all.operations.id("imap.connect"));
  for (int i = 0; i < all; ++i) connects.succeed(Time{}, Time{}, Time{} + milliseconds(1));
  auto& connection = result.all.operations.at(result.all.operations.id("imap.connection"));
  for (int i = 0; i < broken; ++i) connection.unknown_as(i == 0 ? "NOOP: reset" : "IDLE: closed");
}

TEST(ToldFirst, NothingWhereNothingStoodInTheWay) {
  LoadResult result = plan(200, 200);
  with_sessions(result, 100, 4);  // now and then one breaks
  EXPECT_THAT(warnings(result), IsEmpty());
  EXPECT_EQ(verdict_of(result), Verdict::pass);
  EXPECT_THAT(to_text(result), HasSubstr("\npass: 0 lost, no SLO line asked for\n"));
}

TEST(ToldFirst, MailThatWasNeverHandedOver) {
  const LoadResult result = plan(200, 150);
  EXPECT_THAT(warnings(result),
              ElementsAre("UNSERVED: 50 of 200 messages that were due were never handed over to the server."));
  EXPECT_EQ(verdict_of(result), Verdict::inconclusive);
}

TEST(ToldFirst, MailThatTheLastMomentLeftOverIsNone) {
  EXPECT_THAT(warnings(plan(200, 198)), IsEmpty());
  EXPECT_EQ(verdict_of(plan(200, 198)), Verdict::pass);
}

TEST(ToldFirst, ALineOfThePlanDecidesOnMailThatWasNeverHandedOver) {
  LoadResult result = plan(200, 150);
  result.slos = {{"unserved < 100", "50", Verdict::pass}};
  EXPECT_EQ(verdict_of(result), Verdict::pass);
  EXPECT_THAT(to_text(result), HasSubstr("\npass: 0 lost, 0 of 1 SLO lines missed\n"));
}

TEST(ToldFirst, SessionsThatWereBrokenOff) {
  LoadResult result = plan(200, 200);
  with_sessions(result, 20, 20);
  EXPECT_THAT(warnings(result),
              ElementsAre("BROKEN OFF: 20 of 20 imap sessions did not end by our doing (mostly IDLE: closed)"));
}

TEST(ToldFirst, SessionsThatWereBrokenOffPassInNothingUnlessALineSaysHowManyMayBe) {
  LoadResult result = plan(200, 200);
  with_sessions(result, 20, 20);
  EXPECT_EQ(verdict_of(result), Verdict::inconclusive);
  result.slos = {{"errors < 50%", "20.000 %", Verdict::pass}};
  EXPECT_EQ(verdict_of(result), Verdict::pass);
}

/// RFC 3501 section 5.4: that is permitted, and no session was broken off.
TEST(ToldFirst, APermittedAutologoutIsCountedApart) {
  LoadResult result = plan(200, 200);
  with_sessions(result, 20, 0);
  auto& out = result.all.operations.at(result.all.operations.id("imap.autologout"));
  for (int i = 0; i < 9; ++i) out.succeed(Time{}, Time{}, Time{});
  EXPECT_THAT(warnings(result), IsEmpty());
  EXPECT_EQ(verdict_of(result), Verdict::pass);
  EXPECT_THAT(to_text(result),
              HasSubstr("\n9 sessions that said nothing for half an hour were logged out, which RFC 3501"));
}

TEST(ToldFirst, WhatIsKnownOfTheFiguresAndVoidsNone) {
  LoadResult result = plan(200, 200);
  result.plan.lay_before = 12'000;
  result.plan.most_before = 900;
  result.plan.login_delay = std::chrono::seconds(600);
  result.plan.put_off = 7;
  result.all.ledger.unsent = 3;
  auto& fetch = result.all.operations.at(result.all.operations.id("imap.fetch"));
  fetch.time_out_as("no answer in time", Time{}, Time{}, Time{} + std::chrono::minutes(1));
  const std::string text = to_text(result);
  EXPECT_THAT(text, HasSubstr("\n12000 messages lay in the mailboxes before, at most 900 in one"));
  EXPECT_THAT(text, HasSubstr("\nPOP3 announces LOGIN-DELAY 600: 7 polls"));
  EXPECT_THAT(text, HasSubstr("\n1 had no answer in time"));
  EXPECT_THAT(text, HasSubstr("beside them 3 that were due and were not handed over"));
  EXPECT_EQ(verdict_of(result), Verdict::pass);
}

TEST(ToldFirst, TheMeasuredPhaseStandsApart) {
  LoadResult result = plan(200, 200);
  result.seconds = 60;
  result.measured = {std::chrono::seconds(10), std::chrono::seconds(60)};
  auto& operations = result.all.operations;
  operations = {};
  operations.measure(result.measured);
  auto& fetch = operations.at(operations.id("imap.fetch"));
  fetch.succeed(Time{}, Time{}, Time{} + milliseconds(900));  // in the ramp
  for (int i = 0; i < 5; ++i)
    fetch.succeed(Time(std::chrono::seconds(20)), {}, Time(std::chrono::seconds(20)) + milliseconds(5));
  const std::string text = to_text(result);
  const auto apart = text.find("of what was due from 10.000 s to 60.000 s alone, the measured phase:\nimap.fetch");
  ASSERT_NE(apart, std::string::npos) << text;
  EXPECT_EQ(text.substr(apart).find("900."), std::string::npos);
}

TEST(ToldFirst, WhyTheGeneratorWasTheLimitAndThatALineIsVoidAndNotMissed) {
  LoadResult result = plan(200, 200);
  result.generator.lateness.add(milliseconds(561));
  result.slos = {{"lost = 0", "0", Verdict::pass}, {"imap.connect p99 < 1ms", "2 ms", Verdict::inconclusive}};
  EXPECT_THAT(to_text(result), testing::StartsWith("GENERATOR-LIMITED: these figures say more about this machine than "
                                                   "about the server: what was due began up to 561 ms late"));
  EXPECT_THAT(to_text(result), HasSubstr("\ninconclusive: 0 lost, 0 of 2 SLO lines missed, 1 void\n"));
}

TEST(ToldFirst, ThatItWasInterruptedAndNobodyLooked) {
  LoadResult result = plan(200, 150);
  result.interrupted = true;
  result.all.ledger.fates = {{"not-looked-for", 150}};
  EXPECT_THAT(warnings(result), ElementsAre(HasSubstr("INTERRUPTED: ")));
  EXPECT_THAT(to_text(result), HasSubstr("unexplained: 0, of the 0 that were looked for\n"));
  EXPECT_THAT(to_text(result), HasSubstr("\ninconclusive: 0 lost, 150 not looked for, no SLO line asked for\n"));
}

TEST(ToldFirst, ALimitOfThisProcessThatWasMet) {
  LoadResult result = plan(200, 200);
  EXPECT_EQ(limit_of_ours_met(result), "");
  result.plan.examples["x"] = "imap session 4: NO too many open files";  // the server's
  EXPECT_EQ(limit_of_ours_met(result), "");
  result.plan.examples["y"] = "imap session 5: imap 127.0.0.1:143: connect: too many open files";
  EXPECT_THAT(limit_of_ours_met(result), HasSubstr("ulimit -n"));
}

/// Lines that speak of something else decide nothing of mail, nor of another protocol's sessions, and a line of which
/// nothing is known decides nothing at all.
TEST(ToldFirst, ALineDecidesOnWhatItIsAbout) {
  LoadResult result = plan(200, 150);
  for (const char* text : {"imap.connect unserved = 0", "imap.round unserved = 0", "story unserved = 0"}) {
    result.slos = {{text, "0", Verdict::pass}};
    EXPECT_EQ(verdict_of(result), Verdict::inconclusive) << text;
  }
  for (const char* text : {"lmtp.deliver unserved < 100", "lmtp.* unserved < 100"}) {
    result.slos = {{text, "50", Verdict::pass}};
    EXPECT_EQ(verdict_of(result), Verdict::pass) << text;
  }
  result.slos = {{"unserved < 100", "", Verdict::pass}};
  EXPECT_EQ(verdict_of(result), Verdict::inconclusive) << "of this line nothing is known";
  result = plan(200, 200);
  with_sessions(result, 20, 20);
  for (const char* text : {"pop3.* errors < 50%", "imap.fetch errors < 50%"}) {
    result.slos = {{text, "0.000 %", Verdict::pass}};
    EXPECT_EQ(verdict_of(result), Verdict::inconclusive) << text;
  }
  for (const char* text : {"imap.* errors < 50%", "imap.connection errors < 50%"}) {
    result.slos = {{text, "20.000 %", Verdict::pass}};
    EXPECT_EQ(verdict_of(result), Verdict::pass) << text;
  }
}

}  // namespace
}  // namespace mailproof::load
