#include "load/capacity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// What a load that was played says of the server, and when the answer is one.

namespace mailproof::load {
namespace {

using judge::Verdict;
using testing::HasSubstr;

scenario::Plan held_to(const char* line) {
  scenario::Plan out;
  out.name = "office";
  out.accounts = 10;
  out.slo = {*scenario::slo_of(line)};
  return out;
}

/// A load of a hundred fetches, of which so many had an error.
LoadResult fetches(int bad) {
  LoadResult out;
  out.stories = {"office"};
  out.plan.name = "office";
  out.seconds = 10;
  out.all.ledger.copies = 10;
  auto& fetch = out.all.operations.at(out.all.operations.id("imap.fetch"));
  for (int i = 0; i < 100; ++i) {
    fetch.due();
    fetch.begin(Time{}, Time{});
    if (i < bad)
      fetch.fail_as("connect: too many open files");
    else
      fetch.succeed(Time{}, Time{}, Time{} + std::chrono::milliseconds(5));
  }
  out.slos = {{"errors < 1%", "", bad == 0 ? Verdict::pass : Verdict::fail}};
  return out;
}

TEST(Capacity, WhatThisProcessCouldNotDoIsNoMissOfTheServers) {
  const auto plan = held_to("errors < 1%");
  EXPECT_EQ(weigh({}, plan, fetches(0)).came, Came::met);
  EXPECT_EQ(weigh({}, plan, fetches(30)).came, Came::missed);
  LoadResult ours = fetches(30);
  ours.doubts = {"GENERATOR-LIMITED: this process may open no more files"};
  const Trial trial = weigh({}, plan, ours);
  EXPECT_EQ(trial.came, Came::limited);
  EXPECT_THAT(trial.why, HasSubstr("this machine: GENERATOR-LIMITED: this process may open no more files"));
  ours.findings["office/ledger/lost"].times = 1;
  ours.findings["office/ledger/lost"].first.severity = judge::Severity::fail;
  EXPECT_EQ(weigh({}, plan, ours).came, Came::missed) << "no limit of ours loses mail";
}

TEST(Capacity, SlotsThatWereTooFewAreOurs) {
  LoadResult slots = fetches(0);
  slots.all.unserved = 5;
  slots.slots = 1;
  slots.rate = 10;
  slots.held = std::chrono::seconds(100);
  const Trial trial = weigh({}, held_to("errors < 1%"), slots);
  EXPECT_EQ(trial.came, Came::limited);
  EXPECT_THAT(trial.why, testing::Not(HasSubstr("this machine")));
}

/// Neither slots that were too few nor copies that nobody judged made anything slow.
TEST(Capacity, WhatWasMissedIsMissedWhateverElseWasNotPlayed) {
  const auto plan = held_to("imap.fetch p90 < 1ms");
  LoadResult slots = fetches(0);
  slots.all.unserved = 5;
  slots.slots = 1;
  slots.rate = 10;
  slots.held = std::chrono::seconds(100);
  EXPECT_EQ(weigh({}, plan, slots).came, Came::missed);
  LoadResult unjudged = fetches(0);
  unjudged.doubts = {"NOT JUDGED: 3 copies"};
  EXPECT_EQ(weigh({}, plan, unjudged).came, Came::missed);
  EXPECT_EQ(weigh({}, held_to("imap.fetch p90 < 1s"), unjudged).came, Came::limited);
  unjudged.doubts.emplace_back("GENERATOR-LIMITED: this process may open no more files");
  EXPECT_EQ(weigh({}, plan, unjudged).came, Came::limited);
}

/// A promise that nothing was held against is not kept, however many accounts are asked for.
TEST(Capacity, AtLeastSoManyIsKnownOnlyWhereAllLinesAre) {
  Capacity capacity;
  capacity.answer = 100;
  capacity.at_least = 80;
  capacity.confirmed = true;
  EXPECT_EQ(verdict_of(capacity), Verdict::pass);
  capacity.unknown = {"delivery-to-visible.imap p99 < 5s"};
  EXPECT_EQ(verdict_of(capacity), Verdict::inconclusive);
  capacity.default_slo = true;
  EXPECT_EQ(verdict_of(capacity), Verdict::pass);
  capacity.unsteady = true;
  EXPECT_EQ(verdict_of(capacity), Verdict::inconclusive);
}

/// A load in which nothing happened is met by a dead server, too, whoever wrote the lines.
TEST(Capacity, WhereNoLineIsKnownNothingIs) {
  CapacitySearch search({.start = 4, .most = 4});
  Capacity capacity;
  capacity.default_slo = true;
  capacity.at_least = 4;
  for (auto step = search.next(); step; step = search.next()) {
    Trial trial;
    trial.step = *step;
    trial.lines = {{"pop3.connect p95 < 5s", "", 0, false, true}, {"lost = 0", "", 0, false, true}};
    capacity.trials.push_back(trial);
    search.tell(Came::met);
  }
  conclude(search, capacity);
  ASSERT_EQ(capacity.answer, 4U);
  ASSERT_TRUE(capacity.confirmed);
  EXPECT_EQ(verdict_of(capacity), Verdict::inconclusive);
  capacity.at_least = 0;
  EXPECT_EQ(verdict_of(capacity), Verdict::inconclusive);
  capacity.at_least = 4;
  for (Trial& trial : capacity.trials) trial.lines.back().unknown = false;
  conclude(search, capacity);
  EXPECT_EQ(verdict_of(capacity), Verdict::pass) << "some of them are enough of the lines that nobody asked for";
}

TEST(Capacity, IsNotLessThanWhatHeld) {
  Capacity capacity;
  capacity.answer = 150;
  capacity.above = CapacitySearch::Above{160, Came::missed};
  capacity.confirmed = capacity.unsteady = true;
  for (const auto& [accounts, came] : {std::pair(150U, Came::met), std::pair(160U, Came::missed),
                                       std::pair(200U, Came::met), std::pair(210U, Came::missed)})
    capacity.trials.emplace_back().step.accounts = accounts, capacity.trials.back().came = came;
  capacity.at_least = 180;
  EXPECT_EQ(verdict_of(capacity), Verdict::inconclusive) << "200 held";
  capacity.at_least = 205;
  EXPECT_EQ(verdict_of(capacity), Verdict::fail);
  capacity.at_least = 160;
  EXPECT_EQ(verdict_of(capacity), Verdict::inconclusive);
}

}  // namespace
}  // namespace mailproof::load
