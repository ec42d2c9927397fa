// The text of other people's mail is not asked for, whatever a profile says; nor what could not be looked at.
#include "load/customer_pop3.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "play/tests/sim_rig.h"

namespace mailproof::load {
namespace {

using scenario::Ask;
using scenario::Of;

constexpr std::string_view kForeign =
    "From: Bob <bob@example.org>\r\nTo: alice@example.test\r\nSubject: dinner\r\nMessage-ID: <1@example.org>\r\n"
    "Date: Wed, 25 Nov 2026 09:12:40 +0000\r\n\r\nat eight\r\n";

/// One session of a customer whose maildrop holds a message of somebody else's, one of the run's, and another one.
struct Polled {
  explicit Polled(std::vector<scenario::ProfileStep> poll, bool look_first = true, const std::string& refused = "",
                  const std::string& reply = "-ERR not here")
      : rig(scenario::parse("id: play.test\ntitle: a test\nneeds: [imap, delivery]\naccounts: [alice]\n"
                            "devices: {mta: {delivers: any}}\nsteps:\n  - mta: {deliver: mail, to: alice}\n",
                            "play.yaml"),
            {}, refusing(refused, reply)) {
    profile.protocol = Protocol::pop3;
    profile.every = std::chrono::hours(1);
    profile.poll = std::move(poll);
    plan.accounts = 1;
    plan.profiles = {profile};
    PlanSettings settings;
    settings.run_id = 7;
    settings.look_first = look_first;
    settings.date = "Thu, 01 Jan 2026 00:00:00 +0000";
    scene.emplace(*rig.network, rig.target, plan, settings,
                  std::vector<scenario::PoolAccount>{
                      {"user-alice", "alice@example.test", Secret("pass"), std::nullopt, "", std::nullopt}});
    const std::string address = "alice@example.test";
    play::put_into(*rig.server, address, kForeign, rig.network->now());
    play::put_into(*rig.server, address, *scene->compose(scene->parcels.add(1, 0, 2048), address), rig.network->now());
    play::put_into(*rig.server, address, kForeign, rig.network->now());
    const auto customer = make_pop3_customer(*scene, profile, 0, 0, 1);
    customer->come(rig.network->now());
    customer->leave(rig.network->now());
    EXPECT_TRUE(
        rig.network->run([&] { return customer->away() || rig.network->now() > Time{} + std::chrono::minutes(1); }));
    EXPECT_EQ(times("pop3.quit"), 1U) << "it ends";
  }
  static std::vector<WrongDialogue> refusing(const std::string& command, const std::string& reply) {
    if (command.empty()) return {};
    WrongBlock block{.at = WrongBlock::At::regex, .protocol = Protocol::pop3, .text = "^" + command};
    block.actions = {{.kind = WrongAction::Kind::say, .text = reply + "\r\n"}};
    return {{{std::move(block)}}};
  }
  std::uint64_t times(const std::string& operation) const {
    const auto* found = scene->operations.find(operation);
    return found == nullptr ? 0 : found->started;
  }
  play::SimRig rig;
  scenario::Plan plan;
  scenario::Profile profile;
  std::optional<Scene> scene;
};

scenario::ProfileStep step(Ask ask, std::uint32_t count = 0, std::vector<scenario::ProfileStep> steps = {}) {
  scenario::ProfileStep out;
  out.ask = ask;
  out.of = Of::all;
  out.count = count;
  out.steps = std::move(steps);
  return out;
}

TEST(Pop3Customer, LinesOfOthersAreNotAskedFor) {
  const Polled polled({step(Ask::pop_list), step(Ask::top, 20)});
  EXPECT_EQ(polled.times("pop3.look"), 3U);
  EXPECT_EQ(polled.times("pop3.top"), 1U);
}

TEST(Pop3Customer, AHeaderIsLookedAtWhosesoeverItIs) {
  const Polled polled({step(Ask::pop_list), step(Ask::top)});
  EXPECT_EQ(polled.times("pop3.top"), 3U);
  EXPECT_EQ(polled.times("pop3.look"), 0U);
}

TEST(Pop3Customer, NorAreTheirBodies) {
  for (const auto& fetching :
       {step(Ask::retr), step(Ask::each, 0, {step(Ask::top, 99'999'999)}), step(Ask::each, 0, {step(Ask::retr)})}) {
    const Polled polled({step(Ask::pop_list), fetching});
    EXPECT_EQ(polled.times("pop3.look"), 3U);
    EXPECT_EQ(polled.times("pop3.retr") + polled.times("pop3.top"), 1U);
  }
}

/// RFC 1939 section 7: TOP is optional.
TEST(Pop3Customer, WhatCannotBeLookedAtIsNotAskedFor) {
  for (const auto& fetching : {step(Ask::retr), step(Ask::top, 20), step(Ask::each, 0, {step(Ask::retr)})}) {
    const Polled polled({step(Ask::pop_list), fetching, step(Ask::dele)}, true, "TOP");
    EXPECT_EQ(polled.times("pop3.retr") + polled.times("pop3.top") + polled.times("pop3.dele"), 0U);
  }
}

TEST(Pop3Customer, WhatStatCountsIsBelievedWhenItIsListed) {
  const Polled polled({step(Ask::stat), step(Ask::uidl), step(Ask::retr)}, true, "STAT", "+OK 1000000 1");
  EXPECT_EQ(polled.times("pop3.look"), 3U);
  EXPECT_EQ(polled.times("pop3.retr"), 1U);
}

TEST(Pop3Customer, WhoOnlyCountsThemNumbersThemFromOne) {
  const Polled polled({step(Ask::stat), step(Ask::end_if_empty), step(Ask::retr)});
  EXPECT_EQ(polled.times("pop3.look"), 3U);
  EXPECT_EQ(polled.times("pop3.retr"), 1U);
}

/// RFC 1939 section 5 gives the lines of a listing no order.
TEST(Pop3Customer, AListingMayComeInAnyOrder) {
  const Polled polled({step(Ask::pop_list), step(Ask::uidl), step(Ask::retr)}, true, "LIST",
                      "+OK\r\n3 100\r\n1 100\r\n2 100\r\n.");
  EXPECT_EQ(polled.times("pop3.look"), 3U);
  EXPECT_EQ(polled.times("pop3.retr"), 1U);
}

TEST(Pop3Customer, WhereNobodyElseHasMailNothingIsLookedAtFirst) {
  const Polled polled({step(Ask::pop_list), step(Ask::top, 20), step(Ask::retr)}, false);
  EXPECT_EQ(polled.times("pop3.look"), 0U);
  EXPECT_EQ(polled.times("pop3.top"), 3U);
  EXPECT_EQ(polled.times("pop3.retr"), 3U);
}

}  // namespace
}  // namespace mailproof::load
