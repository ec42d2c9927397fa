#include "explore/world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "scenario/scenario.h"

namespace mailproof::explore {
namespace {

Offer everything() {
  Offer offer;
  offer.quotas = {64 * 1024};
  offer.customer_quotas = {128 * 1024};
  offer.tls = offer.set_quota = offer.set_customer_quota = offer.restarts = true;
  return offer;
}

scenario::Scenario read(std::uint64_t seed, const Offer& offer) {
  const auto loaded = scenario::parse(world(seed, offer), world_file(seed));
  for (const auto& problem : loaded.problems) ADD_FAILURE() << problem.message();
  return loaded.scenarios.empty() ? scenario::Scenario{} : loaded.scenarios.front();
}

TEST(World, EachIsAScenarioOfTheLanguage) {
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    const auto scenario = read(seed, everything());
    EXPECT_EQ(scenario.id, world_id(seed));
    EXPECT_GE(scenario.accounts.size(), 1U);
    EXPECT_LE(scenario.accounts.size(), 4U);
    EXPECT_GE(scenario.steps.size(), 3U) << seed;
    if (testing::Test::HasFailure()) FAIL() << world(seed, everything());
  }
}

TEST(World, OneSeedIsOneText) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    EXPECT_EQ(world(seed, everything()), world(seed, everything()));
    EXPECT_NE(world(seed, everything()), world(seed + 1, everything()));
  }
}

/// What a verb's name is in each world that has it.
std::set<std::string> verbs(const std::vector<scenario::Step>& steps) {
  std::set<std::string> out;
  for (const auto& step : steps) {
    out.emplace(name(step.verb));
    if (step.cut.when != scenario::Cut::When::none) out.insert("cut");
    out.merge(verbs(step.together));
  }
  return out;
}

TEST(World, TogetherTheyUseAllVerbsAndNoneUsesMost) {
  std::set<std::string> all;
  std::size_t most = 0;
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    const auto mine = verbs(read(seed, everything()).steps);
    most = std::max(most, mine.size());
    all.insert(mine.begin(), mine.end());
  }
  for (const char* verb :
       {"deliver", "retry",   "open",    "examine", "sync",      "see",       "lose",      "read",     "flag",
        "unflag",  "delete",  "expunge", "move",    "copy",      "save",      "upload",    "create",   "rename",
        "remove",  "search",  "quota",   "go",      "logout",    "drop",      "list",      "download", "reset",
        "quit",    "advance", "compare", "vanish",  "together",  "cut",       "set_quota", "restart",  "kill",
        "pause",   "count",   "agree",   "usage",   "try_names", "subscribe", "smuggle"})
    EXPECT_TRUE(all.contains(verb)) << verb;
  EXPECT_LT(most, all.size() - 8) << "a world that has everything is a world without a swarm";
}

TEST(World, UsesOnlyWhatIsOffered) {
  Offer bare;
  bare.pop3 = bare.smtp = bare.lmtp = false;
  bare.accounts = 1;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const auto scenario = read(seed, bare);
    EXPECT_EQ(scenario.accounts.size(), 1U);
    for (const auto need : scenario.needs)
      EXPECT_TRUE(need == scenario::Need::imap || need == scenario::Need::delivery) << seed << " " << name(need);
  }
}

TEST(World, NeverHasMoreDevicesThanAnAccountMayHaveConnections) {
  Offer narrow = everything();
  narrow.of_one_account = 4;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const auto scenario = read(seed, narrow);
    std::vector<std::size_t> of(scenario.accounts.size());
    for (const auto& device : scenario.devices)
      if (device.kind != scenario::DeviceKind::deliverer) ++of[device.account];
    EXPECT_THAT(of, testing::Each(testing::Le(2U))) << seed;
  }
}

}  // namespace
}  // namespace mailproof::explore
