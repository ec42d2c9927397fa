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

}  // namespace
}  // namespace mailproof::load
