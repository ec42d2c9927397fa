#include "explore/world.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "explore/world_talk.h"
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
    if (scenario.id == fmt::format("{}.{}", world_id(seed), kTalkSlug)) continue;
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
        "pause",   "count",   "agree",   "usage",   "try_names", "subscribe", "smuggle",   "fate",     "intact"})
    EXPECT_TRUE(all.contains(verb)) << verb;
  EXPECT_LT(most, all.size() - 8) << "a world that has everything is a world without a swarm";
}

/// What only several steps in a row can show.
TEST(World, HasEpisodesThatSingleDrawsHardlyMake) {
  const auto count = [](const std::string& text, std::string_view what) {
    std::size_t out = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++out;
    return out;
  };
  std::size_t listens = 0, away = 0, renamed = 0, beside = 0, overfilled = 0, full = 0, drained = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const std::string text = world(seed, everything());
    listens += count(text, ", within: 60s}") >= 3 ? 1 : 0;
    away += count(text, "go: offline") > 0 && count(text, "resync: qresync") > 0 ? 1 : 0;
    renamed += count(text, " 2028}") > 0 ? 1 : 0;
    beside += count(text, "{connect: now, expect: either}") > 0 ? 1 : 0;
    overfilled += count(text, "size: 72KiB") > 0 ? 1 : 0;
    full += count(text, "settle: 10s, via: lmtp}") > 0 ? 1 : 0;
    drained += count(text, "\n  - pc: {download: all, after: delete}\n  - pc: quit") > 0 ? 1 : 0;
  }
  EXPECT_GT(listens, 3U);
  EXPECT_GT(away, 10U);
  EXPECT_GT(renamed, 10U);
  EXPECT_GT(beside, 3U);
  EXPECT_GT(overfilled, 3U);
  EXPECT_GT(full, 3U);
  EXPECT_GT(drained, 1U);
}

TEST(World, HasEachKindOfTalkAmongFewSeeds) {
  for (const std::uint64_t first : {0U, 100U, 1000U}) {
    std::set<std::string> titles;
    for (std::uint64_t seed = first; seed < first + 150; ++seed)
      if (is_talk(seed)) titles.insert(scenario::parse(*talk(seed, everything()), world_file(seed)).scenarios[0].title);
    EXPECT_GE(titles.size(), 13U) << first << ": all but STARTTLS, and of the two about reports one at least";
  }
}

TEST(Talk, EachIsACheckOfTheLanguage) {
  std::set<std::string> titles;
  Offer offer = everything();
  offer.smtp_tls = true;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const auto text = talk(seed, offer);
    ASSERT_TRUE(text);
    EXPECT_EQ(text, talk(seed, offer)) << "one seed is one text";
    const auto loaded = scenario::parse(*text, world_file(seed));
    for (const auto& problem : loaded.problems) ADD_FAILURE() << problem.message() << "\n" << *text;
    ASSERT_EQ(loaded.scenarios.size(), 1U);
    titles.insert(loaded.scenarios.front().title);
  }
  EXPECT_EQ(titles.size(), 15U) << "POP3 in three ways, line ends, STARTTLS, no report wanted and none for nobody, and "
                                   "eight of IMAP";
}

TEST(Talk, UsesOnlyWhatIsOffered) {
  Offer offer = everything();
  offer.smtp = offer.smtp_tls = false;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const auto text = talk(seed, offer);
    ASSERT_TRUE(text);
    EXPECT_EQ(text->find("smtp"), std::string::npos) << *text;
  }
  offer.pop3 = false;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const auto text = talk(seed, offer);
    ASSERT_TRUE(text);
    EXPECT_NE(text->find("connect: imap"), std::string::npos) << *text;
  }
  offer.imap = false;
  EXPECT_FALSE(talk(1, offer)) << "nothing is left that a talk could be about";
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
