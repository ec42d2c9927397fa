#include "play/learnt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>

#include "play/tests/sim_rig.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr const char* kStory =
    "accounts: [alice]\ndevices: {mta: {delivers: lmtp}, phone: {imap: alice}}\nsteps:\n"
    "  - mta: {deliver: mail, to: alice, count: 2}\n  - phone: {see: mail, within: 20s}\n";

void lose_every_second(server::ServerOptions& options) { options.defects = {"delivery.accepts-and-drops"}; }

/// Of a server whose mail takes so long, and that lost two messages.
void teach(Learnt& learnt, Duration slowest = milliseconds(20)) {
  for (int i = 0; i < 4; ++i) learnt.arrived(milliseconds(5));
  learnt.arrived(slowest);
  learnt.lost();
  learnt.lost();
}

TEST(Learnt, BoundsHoldUntilBothAreKnown) {
  Learnt learnt;
  EXPECT_EQ(learnt.enough(seconds(20)), seconds(20));
  for (int i = 0; i < 5; ++i) learnt.arrived(milliseconds(5));
  learnt.lost();
  EXPECT_EQ(learnt.enough(seconds(20)), seconds(20)) << "one may be late still";
  learnt.lost();
  EXPECT_TRUE(learnt.loses());
  EXPECT_EQ(learnt.enough(seconds(20)), milliseconds(500));
  EXPECT_EQ(learnt.enough(milliseconds(300)), milliseconds(300));
  learnt.arrived(milliseconds(700));
  EXPECT_EQ(learnt.enough(seconds(20)), seconds(7)) << "ten times the slowest of a few";
  learnt.arrived(seconds(3));
  EXPECT_EQ(learnt.enough(seconds(20)), seconds(20));
}

TEST(Learnt, OneThatWasSlowDoesNotMakeAllOthersWait) {
  Learnt learnt;
  teach(learnt, seconds(3));
  EXPECT_EQ(learnt.enough(seconds(60)), seconds(30));
  for (int i = 0; i < 30; ++i) learnt.arrived(milliseconds(5));
  EXPECT_EQ(learnt.enough(seconds(60)), milliseconds(500));
  for (int i = 0; i < 100; ++i) learnt.arrived(milliseconds(i % 2 == 0 ? 5 : 400));
  EXPECT_EQ(learnt.enough(seconds(60)), seconds(4)) << "of a server that is slow every second time";
}

TEST(Learnt, AWaitForWhatIsNowhereIsShortAndAccusesNobody) {
  SimRig rig(kStory, lose_every_second);
  Learnt learnt;
  teach(learnt);
  rig.options.learnt = &learnt;
  rig.play();
  EXPECT_LT(rig.took(), seconds(3));
  EXPECT_EQ(rig.last(What::see).type, Type::info);
  EXPECT_THAT(rig.last(What::see).text, HasSubstr("waited for 500ms only"));
  EXPECT_EQ(rig.last(What::asked_again).code, "not-as-expected") << "it was looked for another way";
  EXPECT_EQ(rig.last(What::settle).code, "left-out");
  EXPECT_EQ(rig.told(What::audit).size(), 2U) << "one audit";
}

TEST(Learnt, APop3ClientKnowsItToo) {
  SimRig rig(
      "accounts: [alice]\ndevices: {mta: {delivers: lmtp}, pc: {pop3: alice}}\nsteps:\n"
      "  - mta: {deliver: mail, to: alice, count: 2}\n  - pc: {see: mail, within: 20s}\n",
      lose_every_second);
  Learnt learnt;
  teach(learnt);
  rig.options.learnt = &learnt;
  rig.play();
  EXPECT_LT(rig.took(), seconds(3));
  EXPECT_EQ(rig.last(What::see).type, Type::info);
  EXPECT_THAT(rig.last(What::see).text, HasSubstr("only: accepted mail has stayed away before in this run"));
}

TEST(Learnt, WhoHasLearntNothingWaitsAndLooksTwice) {
  SimRig rig(kStory, lose_every_second);
  Learnt learnt;
  rig.options.learnt = &learnt;
  rig.play();
  EXPECT_GE(rig.took(), seconds(20));
  EXPECT_EQ(rig.last(What::see).type, Type::fail);
  EXPECT_EQ(rig.told(What::audit).size(), 4U);
  for (int i = 0; i < 5; ++i) learnt.arrived(milliseconds(5));
  EXPECT_FALSE(learnt.loses());
  learnt.lost();
  EXPECT_TRUE(learnt.loses()) << "it had learnt of the first";
}

/// A mailbox is filled although every second message is lost, and none of those costs the time that a report may take.
TEST(Learnt, WhatAnMtaTookAndLostIsNotWaitedForAsAReport) {
  SimRig rig(
      "accounts: {bob: {quota: 64KiB}, carol: {}}\ndevices: {mta: {delivers: smtp, from: carol}}\nsteps:\n"
      "  - mta: {deliver: filler, to: bob, size: 8KiB, until: refused-or-bounced, at_most: 20, settle: 20s}\n"
      "  - mta: {deliver: two, to: carol, count: 2, expect: refused-or-bounced, within: 60s}\n",
      lose_every_second);
  Learnt learnt;
  teach(learnt);
  rig.options.learnt = &learnt;
  rig.play();
  EXPECT_LT(rig.took(), seconds(30));
  const auto outcomes = rig.told(What::outcome);
  EXPECT_THAT(outcomes, testing::Contains(HasSubstr("ok  refused: 5")));
  EXPECT_THAT(outcomes, testing::Contains(HasSubstr("info  waited for 500ms only")));
  EXPECT_THAT(outcomes, testing::Not(testing::Contains(HasSubstr("neither delivered nor reported"))));
}

/// The first looks come soon one after the other: how long mail took is known to within as much again.
TEST(Learnt, WhoLooksAgainLooksEverMoreSeldom) {
  EXPECT_EQ(look_again_after(milliseconds(0)), milliseconds(50));
  EXPECT_EQ(look_again_after(milliseconds(400)), milliseconds(400));
  EXPECT_EQ(look_again_after(seconds(30)), seconds(1));
}

/// A check whose second message never comes: what came of the first is learnt once, however often is looked again.
TEST(Learnt, EachArrivalCountsOnce) {
  Learnt learnt;
  for (int i = 0; i < 5; ++i) {
    SimRig rig(
        scenario::parse("id: pop3.1939-5\ntitle: a test\nneeds: [pop3]\nmailbox: {messages: 2}\nchecks:\n"
                        "  - id: one\n    level: MUST\n    title: a test\n    talk: |\n      C: NOOP\n      S: +OK\n",
                        "check.yaml"),
        lose_every_second);
    rig.options.learnt = &learnt;
    rig.play();
  }
  learnt.lost();
  learnt.lost();
  EXPECT_TRUE(learnt.loses());
  EXPECT_EQ(learnt.enough(seconds(5)), milliseconds(500)) << "five came, all of them at once";
}

/// Simulated seconds of all that is shipped, one after the other, and what became of it.
double seconds_of_a_run(const std::function<void(server::ServerOptions&)>& with) {
  auto loaded = scenario::load({"scenarios"}, "scenarios");
  Learnt learnt;
  Duration all{};
  for (auto& one : loaded.scenarios) {
    if (std::find(one.tags.begin(), one.tags.end(), "slow") != one.tags.end()) continue;
    scenario::Loaded alone;
    alone.scenarios.push_back(std::move(one));
    SimRig rig(std::move(alone), with);
    rig.target.imap.push_back({Protocol::imap, "sim", 993, TlsMode::implicit, false, ""});
    rig.target.pop3.push_back({Protocol::pop3, "sim", 995, TlsMode::implicit, false, ""});
    rig.options.learnt = &learnt;
    rig.options.load = true;  // cleans up in the end
    rig.play();
    all += rig.network->now() - Time{};
  }
  return std::chrono::duration<double>(all).count();
}

/// Counted in the seconds that somebody waits, not in those of this machine.
TEST(Learnt, ARunOnAServerThatLosesEverySecondMessageTakesFiveTimesAsLongAtMost) {
  const double good = seconds_of_a_run(nullptr), lossy = seconds_of_a_run(lose_every_second);
  std::printf("waiting: %.0f s on a good server, %.0f s on one that loses every second message\n", good, lossy);
  EXPECT_GT(good, 1);
  EXPECT_LE(lossy, 5 * good);
}

/// What arrives is waited for to the end whatever was lost before.
TEST(Learnt, MailThatIsThereIsWaitedForAsTheScenarioSays) {
  SimRig rig(
      "accounts: [alice]\ndevices: {mta: {delivers: lmtp}, phone: {imap: alice}}\nsteps:\n"
      "  - mta: {deliver: mail, to: alice}\n  - phone: {see: mail, flags: [seen], within: 20s}\n");
  Learnt learnt;
  teach(learnt);
  rig.options.learnt = &learnt;
  rig.play();
  EXPECT_GE(rig.took(), seconds(20)) << "its flag may still come";
  EXPECT_EQ(rig.last(What::see).type, Type::fail);
}

}  // namespace
}  // namespace mailproof::play
