#include "load/slo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "load/thread_cpu.h"

// What a line of the SLO is held against, and when nothing can be said.

namespace mailproof::load {
namespace {

using judge::Verdict;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

/// A minute of customers, of which the last fifty seconds are measured.
LoadResult minute() {
  LoadResult out;
  out.stories = {"office"};
  out.plan.name = "office";
  out.seconds = 60;
  out.measured = {seconds(10), seconds(60)};
  out.all.operations.start(Time{});
  out.all.operations.measure(out.measured);
  out.all.ledger.copies = 10;
  return out;
}

/// So many of it, from then on, each a tenth of a second after the one before.
void add(LoadResult& result, const char* operation, Duration from, int times, Duration took) {
  auto& one = result.all.operations.at(result.all.operations.id(operation));
  for (int i = 0; i < times; ++i) {
    const Time at = Time{} + from + i * milliseconds(100);
    one.due(at);
    one.begin(at, at);
    one.succeed(at, at, at + took);
  }
}

SloResult judged(LoadResult result, const char* line) {
  judge_slo({*scenario::slo_of(line)}, result);
  return result.slos.back();
}

TEST(Slo, TheRampIsNotMeasuredUnlessNothingElseHappened) {
  LoadResult result = minute();
  add(result, "imap.fetch", seconds(0), 90, seconds(3));  // while the customers come
  add(result, "imap.fetch", seconds(10), 400, milliseconds(5));
  add(result, "imap.login", seconds(0), 100, milliseconds(50));
  const SloResult fetch = judged(result, "imap.fetch p99 < 250ms");
  EXPECT_EQ(fetch.verdict, Verdict::pass) << fetch.measured;
  EXPECT_EQ(fetch.of, 400U);
  EXPECT_EQ(judged(result, "imap.fetch rate > 7/s").measured, "8.4/s") << "twenty of the ramp's were done in it";
  const SloResult login = judged(result, "imap.login p99 < 1s");
  EXPECT_EQ(login.verdict, Verdict::pass);
  EXPECT_THAT(login.why, HasSubstr("none was due in the measured phase"));
  result.measured = {};  // an older run
  result.all.operations.measure({});
  result.all.operations.at(result.all.operations.id("imap.fetch")).measured = {};
  EXPECT_EQ(judged(result, "imap.fetch p99 < 250ms").verdict, Verdict::fail);
}

TEST(Slo, ErrorsOfTheRampCount) {
  LoadResult result = minute();
  add(result, "imap.connect", seconds(0), 99, milliseconds(5));
  auto& connect = result.all.operations.at(result.all.operations.id("imap.connect"));
  connect.due(Time{});
  connect.begin(Time{}, Time{});
  connect.fail_as("login refused", Time{});
  EXPECT_EQ(judged(result, "imap.connect errors < 1%").verdict, Verdict::fail);
  add(result, "imap.login", seconds(20), 300, milliseconds(5));
  add(result, "imap.round", seconds(20), 300, milliseconds(5));
  EXPECT_EQ(judged(result, "errors < 1%").verdict, Verdict::fail) << "parts of others make an error no rarer";
  EXPECT_EQ(judged(result, "imap.* errors < 1%").verdict, Verdict::fail);
}

TEST(Slo, WhatWeWereLateIsNotTheServers) {
  LoadResult result = minute();
  add(result, "lmtp.deliver", seconds(10), 400, milliseconds(390));
  for (int i = 0; i < 100; ++i) result.generator.lateness.add(milliseconds(i < 90 ? 1 : 380));
  ASSERT_FALSE(result.generator.limited());
  SloResult deliver = judged(result, "lmtp.deliver p99 < 200ms");
  EXPECT_EQ(deliver.verdict, Verdict::inconclusive);
  EXPECT_THAT(deliver.why, HasSubstr("for our own doing"));
  EXPECT_EQ(judged(result, "lmtp.deliver p50 < 200ms").verdict, Verdict::fail) << "half of them were not late by us";
  EXPECT_EQ(judged(result, "lmtp.deliver p99 < 500ms").verdict, Verdict::pass);
  add(result, "lmtp.deliver", seconds(10), 400, seconds(9));
  EXPECT_EQ(judged(result, "lmtp.deliver p99 < 200ms").verdict, Verdict::fail) << "nine seconds are no 0.4 s of ours";
}

TEST(Slo, OneHiccupInEightHoursVoidsNothing) {
  Generator generator;
  for (int i = 0; i < 5000; ++i) generator.lateness.add(milliseconds(1));
  generator.lateness.add(milliseconds(501));
  EXPECT_FALSE(generator.limited()) << generator.why_limited();
  for (int i = 0; i < 20; ++i) generator.lateness.add(milliseconds(700));
  EXPECT_TRUE(generator.limited());
}

TEST(Slo, ASpikeInWhichThereWasNoTimeLeftIsNotHiddenByTheMean) {
  CpuWatch watch;
  double used = 0;
  for (int i = 0; i <= 30; ++i) {  // five minutes
    watch.add(Time{} + i * seconds(10), used, 0);
    used += i == 12 ? 9.9 : 1;
  }
  EXPECT_NEAR(watch.peak(), 0.99, 1e-9);
  Generator generator;
  generator.cpu = 0.13;
  generator.cpu_peak = watch.peak();
  generator.busy = watch.busy();
  EXPECT_TRUE(generator.limited());
  EXPECT_THAT(generator.why_limited(), HasSubstr("99 % of a core in ten seconds"));
  CpuWatch robbed;  // the host gave the other half of this core to somebody else
  robbed.add(Time{}, 0, 0);
  robbed.add(Time{} + seconds(10), 5, 4.9);
  EXPECT_NEAR(robbed.peak(), 0.99, 1e-9);
}

TEST(Slo, NothingIsKnownOfMailThatNobodyLookedFor) {
  LoadResult result = minute();
  result.all.ledger.accepted = 50;
  EXPECT_EQ(judged(result, "lost = 0").verdict, Verdict::pass);
  result.all.ledger.fates["not-looked-for"] = 45;
  EXPECT_EQ(judged(result, "lost = 0").why, "of 5 that were looked for");
  result.interrupted = true;
  for (const char* line : {"lost = 0", "unexplained = 0", "duplicated = 0"}) {
    EXPECT_EQ(judged(result, line).verdict, Verdict::inconclusive) << line;
    EXPECT_EQ(judged(result, line).why, "nobody looked for the mail in the end");
  }
  result.all.ledger.refused = 3;
  EXPECT_EQ(judged(result, "refused = 0").verdict, Verdict::fail) << "that is known at once";
}

TEST(Slo, APercentileOfAHandfulIsTheirSlowest) {
  LoadResult result = minute();
  add(result, "imap.fetch", seconds(10), 12, milliseconds(5));
  SloResult fetch = judged(result, "imap.fetch p99 < 250ms");
  EXPECT_EQ(fetch.verdict, Verdict::inconclusive);
  EXPECT_TRUE(fetch.few);
  EXPECT_EQ(fetch.why, "only 12 of it");
  EXPECT_EQ(judged(result, "imap.fetch p90 < 250ms").verdict, Verdict::pass);
  add(result, "imap.fetch", seconds(20), 1, seconds(2));
  EXPECT_TRUE(judged(result, "imap.fetch p99 < 250ms").few) << "one of thirteen is no p99";
  add(result, "imap.fetch", seconds(30), 1, seconds(2));
  EXPECT_EQ(judged(result, "imap.fetch p99 < 250ms").verdict, Verdict::fail)
      << "two of fourteen are more than one in a hundred";
}

TEST(Slo, PollsThatNobodyCameToAreUnserved) {
  LoadResult result = minute();
  auto& round = result.all.operations.at(result.all.operations.id("imap.round"));
  for (int i = 0; i < 3; ++i) {
    round.due(Time{});
    round.never(seconds(20), 1, Time{} + seconds(20));
  }
  add(result, "lmtp.deliver", seconds(10), 100, milliseconds(5));
  result.by_story = {result.all};
  const SloResult all = judged(result, "unserved = 0");
  EXPECT_EQ(all.verdict, Verdict::fail);
  EXPECT_EQ(all.why, "3 of imap.round");
  EXPECT_EQ(judged(result, "imap.round unserved < 3").verdict, Verdict::fail);
  EXPECT_EQ(judged(result, "lmtp.deliver unserved = 0").verdict, Verdict::pass);
}

TEST(Slo, WhatWasDueInThePhaseAndHadNoAnswerIsNotTheRamps) {
  LoadResult result = minute();
  add(result, "imap.fetch", seconds(0), 90, milliseconds(5));
  auto& fetch = result.all.operations.at(result.all.operations.id("imap.fetch"));
  for (int i = 0; i < 200; ++i) {
    const Time at = Time{} + seconds(10) + i * milliseconds(100);
    fetch.due(at);
    fetch.begin(at, at);
    fetch.fail_as("NO", at + milliseconds(1));
  }
  const SloResult times = judged(result, "imap.fetch p99 < 250ms"), rate = judged(result, "imap.fetch rate > 1/s");
  EXPECT_EQ(times.verdict, Verdict::inconclusive);
  EXPECT_EQ(times.measured, "");
  EXPECT_EQ(rate.verdict, Verdict::fail);
  EXPECT_EQ(rate.measured, "0.0/s");
}

TEST(Slo, ARateIsWhatWasDoneAndNotWhatWasAskedFor) {
  LoadResult result = minute();
  auto& fetch = result.all.operations.at(result.all.operations.id("imap.fetch"));
  for (int i = 0; i < 500; ++i) {  // 10/s are due, and 8/s are done
    const Time at = Time{} + seconds(10) + i * milliseconds(100);
    fetch.due(at);
    fetch.begin(at, at);
    fetch.succeed(at, at, Time{} + seconds(10) + i * milliseconds(125));
  }
  EXPECT_EQ(judged(result, "imap.fetch rate > 9/s").measured, "8.0/s");
  EXPECT_EQ(judged(result, "imap.fetch rate > 9/s").verdict, Verdict::fail);
  EXPECT_NEAR(rate_of(fetch, result), 400.0 / 60, 0.2);
}

TEST(Slo, OfAHandfulNoPartOfErrorsIsKnown) {
  LoadResult result = minute();
  add(result, "pop3.retr", seconds(10), 10, milliseconds(5));
  EXPECT_TRUE(judged(result, "pop3.retr errors < 0.1%").few);
  EXPECT_EQ(judged(result, "pop3.retr errors < 0.1%").verdict, Verdict::inconclusive);
  EXPECT_EQ(judged(result, "pop3.retr errors < 10%").verdict, Verdict::pass);
  EXPECT_EQ(judged(result, "pop3.retr errors = 0%").verdict, Verdict::pass);
  auto& retr = result.all.operations.at(result.all.operations.id("pop3.retr"));
  for (int i = 0; i < 2; ++i) {
    retr.due(Time{} + seconds(20));
    retr.begin(Time{} + seconds(20), Time{} + seconds(20));
    retr.fail_as("-ERR", Time{} + seconds(20));
  }
  EXPECT_EQ(judged(result, "pop3.retr errors < 0.1%").verdict, Verdict::fail) << "two are no chance";
}

TEST(Slo, OfMailThatNeverCameALineSaysNothing) {
  LoadResult result = minute();
  for (const char* line : {"lost = 0", "duplicated = 0", "refused = 0", "unserved = 0", "lmtp.deliver unserved = 0"})
    EXPECT_EQ(judged(result, line).measured, "") << line;
  result.all.ledger.sent = result.all.ledger.refused = 5;
  EXPECT_EQ(judged(result, "lost = 0").verdict, Verdict::inconclusive) << "all was refused";
  EXPECT_EQ(judged(result, "refused = 0").verdict, Verdict::fail);
}

TEST(Slo, AStarMeansWhatClientsAskFor) {
  EXPECT_TRUE(scenario::names_operation("imap.*", "imap.fetch"));
  EXPECT_FALSE(scenario::names_operation("imap.*", "imap.round"));
  EXPECT_FALSE(scenario::names_operation("imap.*", "imap.idle-notice"));
  EXPECT_TRUE(scenario::names_operation("imap.round", "imap.round"));
  EXPECT_FALSE(scenario::names_operation("imap.*", "imap.tls.resumed")) << "a part of what imap.connect tells";
  EXPECT_TRUE(scenario::names_operation("imap.tls.*", "imap.tls.resumed"));
  EXPECT_TRUE(scenario::slo_of("pop3.tls.full p99 < 100ms"));
}

/// A bucket is not cut: what the limit falls into may all lie below it.
TEST(Slo, AtTheEdgeOfABucketNobodyIsAccused) {
  LoadResult result = minute();
  add(result, "imap.fetch", seconds(10), 300, std::chrono::microseconds(249'600));
  add(result, "imap.fetch", seconds(10), 6, milliseconds(300));
  add(result, "imap.store", seconds(10), 300, milliseconds(250));
  for (const char* line : {"imap.fetch p90 < 250ms", "imap.store p90 <= 250ms", "imap.fetch p95 <= 250ms"}) {
    const SloResult one = judged(result, line);
    EXPECT_EQ(one.verdict, Verdict::pass) << line << ": " << one.measured;
  }
  for (const char* line : {"imap.fetch p90 < 248ms", "imap.fetch p99 < 250ms", "imap.store p90 < 249ms"})
    EXPECT_EQ(judged(result, line).verdict, Verdict::fail) << line;
}

/// One of thousands of turns, in which everything that came lay unread for most of a second.
TEST(Slo, ATurnOfTheLoopCountsForAsLongAsItTook) {
  LoadResult result = minute();
  add(result, "imap.fetch", seconds(10), 400, milliseconds(5));
  add(result, "imap.fetch", seconds(10), 8, milliseconds(600));
  for (int i = 0; i < 100'000; ++i)
    result.generator.turn(std::chrono::microseconds(100), std::chrono::microseconds(500));
  EXPECT_EQ(judged(result, "imap.fetch p99 < 250ms").verdict, Verdict::fail);
  result.generator.turn(milliseconds(700), Duration::zero());
  const SloResult fetch = judged(result, "imap.fetch p99 < 250ms");
  EXPECT_EQ(fetch.verdict, Verdict::inconclusive);
  EXPECT_THAT(fetch.why, HasSubstr("for our own doing"));
  for (int i = 0; i < 100'000; ++i)
    result.generator.turn(std::chrono::microseconds(100), std::chrono::microseconds(500));
  EXPECT_EQ(judged(result, "imap.fetch p99 < 250ms").verdict, Verdict::fail)
      << "in two minutes it is not one in a hundred";
}

}  // namespace
}  // namespace mailproof::load
