#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "load/report.h"
#include "load/shard.h"
#include "load/stats_json.h"
#include "load/tests/one_mail.h"
#include "play/tests/sim_rig.h"

namespace mailproof::load {
namespace {

using play::Player;
using play::SimRig;
using testing::HasSubstr;
using namespace std::chrono_literals;

/// Users of kOneMail in simulation, for so long.
struct Loop {
  Loop(std::uint32_t users, std::string_view think, Duration length, std::uint64_t seed = 1, double pace = 1)
      : rig(kOneMail, [](server::ServerOptions& options) {
          for (int i = 0; i < 20; ++i)
            options.accounts.push_back(
                {fmt::format("user-{}", i), fmt::format("user-{}@example.test", i), Secret("pass"), std::nullopt, ""});
        }) {
    std::vector<std::vector<scenario::PoolAccount>> accounts;
    for (unsigned i = 0; i < users; ++i)
      accounts.push_back(
          {{fmt::format("user-{}", i), fmt::format("user-{}@example.test", i), Secret("pass"), std::nullopt}});
    Arrivals arrivals;
    arrivals.users = Users{*scenario::parse_think(think), pace, seed, users, length};
    shard.emplace(rig.scenario, rig.target, accounts, *rig.network, rig.options, arrivals);
    zero = rig.network->now();
    shard->on_copy = [&](std::unique_ptr<Player> player, std::uint32_t copy) {
      copies[copy % users].push_back(copy);
      begun.push_back(player->history().events().front().at - zero);
      most = std::max(most, begun.back());
    };
    shard->start();
    EXPECT_TRUE(rig.network->run([&] { return shard->done(); }));
    shard->settle();
  }
  const stats::Operation& story() const { return *shard->operations().find("story"); }
  SimRig rig;
  std::optional<LoadShard> shard;
  Time zero{};
  std::map<std::uint32_t, std::vector<std::uint32_t>> copies;  ///< by user
  std::vector<Duration> begun;
  Duration most{};
};

TEST(Users, EachPlaysThinksAndPlaysAgain) {
  const Loop loop(3, "2s", 20s);
  ASSERT_EQ(loop.copies.size(), 3U);
  for (const auto& [user, copies] : loop.copies) {
    for (std::size_t i = 0; i < copies.size(); ++i) EXPECT_EQ(copies[i], user + 3 * i) << "of user " << user;
    EXPECT_GE(copies.size(), 7U) << "a play takes far less than the thinking";
    EXPECT_LE(copies.size(), 11U) << "... which it never undercuts";
  }
  EXPECT_LT(loop.most, 20s) << "nobody begins behind the end";
  EXPECT_EQ(loop.story().intended, loop.story().ok);
  EXPECT_EQ(loop.story().unserved(), 0U);
  EXPECT_EQ(loop.story().lateness.max(), Duration{}) << "who thinks waits for nobody";
}

TEST(Users, DoNotAllComeAtOnce) {
  const Loop loop(8, "4s", 4s);
  std::map<Duration, int> times;
  for (const Duration at : loop.begun) ++times[at];
  EXPECT_GE(times.size(), 7U);
}

TEST(Users, AreTheSameForASeed) {
  const Loop first(4, "exponential 1s", 15s), again(4, "exponential 1s", 15s), other(4, "exponential 1s", 15s, 2);
  EXPECT_EQ(first.begun, again.begun);
  EXPECT_NE(first.begun, other.begun);
}

TEST(Users, ThinkAtThePaceOfThePlan) {
  const Loop slow(2, "1s..3s", 30s), quick(2, "1s..3s", 30s, 1, 4);
  EXPECT_GT(quick.begun.size(), slow.begun.size() * 2);
}

/// Our own look into the mailboxes is no time of the server's, and no lateness of ours: it is said.
TEST(Users, WhoWantsToThinkLessThanTheAuditTakesIsHeldBackAndThatIsCounted) {
  const Loop loop(1, "0s", 5s);
  ASSERT_GT(loop.begun.size(), 3U);
  EXPECT_EQ(loop.shard->held_back(), loop.begun.size() - 1);
  EXPECT_EQ(loop.story().lateness.max(), Duration{});
  EXPECT_EQ(loop.shard->own_lateness().max(), Duration{});
}

TEST(Users, WhoWouldBeginBehindTheEndDoesNot) {
  const Loop loop(2, "10s", 1ms);
  EXPECT_EQ(loop.begun.size(), 0U);
  EXPECT_EQ(loop.story().intended, 0U);
}

TEST(Users, AreSaidInTheReportAndReadAgain) {
  LoadResult result;
  result.stories = {"a.story"};
  result.target = "node-7";
  result.seconds = 60;
  result.by_story.resize(1);
  result.by_story[0].held_back = 4;
  result.by_story[0].ledger.copies = 1;
  result.all = result.by_story[0];
  result.users = {{"a.story", 20, "2s..5s"}};
  const std::string text = to_text(result);
  EXPECT_THAT(text, HasSubstr("20 users of each in a closed loop, who think 2s..5s"));
  EXPECT_THAT(text, HasSubstr("coordinated omission"));
  EXPECT_THAT(text, HasSubstr("; 4 times one had to think longer"));
  const auto read = parse_stats(to_json(result), "stats.json");
  ASSERT_TRUE(read) << read.error().message();
  ASSERT_EQ(read->users.size(), 1U);
  EXPECT_EQ(read->users[0].think, "2s..5s");
  EXPECT_EQ(read->users[0].users, 20U);
  EXPECT_EQ(read->all.held_back, 4U);
}

}  // namespace
}  // namespace mailproof::load
