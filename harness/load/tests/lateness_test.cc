#include <fmt/format.h>
#include <gtest/gtest.h>

#include <thread>

#include "load/shard.h"
#include "load/tests/one_mail.h"
#include "load/thread.h"
#include "play/tests/sim_rig.h"

namespace mailproof::load {
namespace {

using play::Player;
using play::SimRig;

/// A clock that also runs while nothing is served: what a loop sees that stalls by itself.
class Stalling final : public Network {
 public:
  explicit Stalling(Network& network) : network_(network) {}
  Time now() const override { return network_.now() + stalled; }
  std::unique_ptr<Link> open(const Endpoint& endpoint, Peer& peer) override { return network_.open(endpoint, peer); }
  void set_alarm(Alarm& alarm, std::optional<Time> at) override {
    network_.set_alarm(alarm, at ? std::optional(std::max(network_.now(), *at - stalled)) : at);
  }
  bool run(const std::function<bool()>& done) override { return network_.run(done); }
  bool simulated() const override { return true; }
  Duration stalled{};

 private:
  Network& network_;
};

struct Load {
  explicit Load(unsigned slots, Arrivals arrivals, Duration stall, std::uint32_t after)
      : rig(kOneMail,
            [](server::ServerOptions& options) {
              for (int i = 0; i < 20; ++i)
                options.accounts.push_back({fmt::format("user-{}", i), fmt::format("user-{}@example.test", i),
                                            Secret("pass"), std::nullopt, ""});
            }),
        network(*rig.network) {
    std::vector<std::vector<scenario::PoolAccount>> accounts;
    for (unsigned i = 0; i < slots; ++i)
      accounts.push_back(
          {{fmt::format("user-{}", i), fmt::format("user-{}@example.test", i), Secret("pass"), std::nullopt}});
    shard.emplace(rig.scenario, rig.target, accounts, network, rig.options, arrivals);
    shard->on_copy = [&, stall, after](std::unique_ptr<Player>, std::uint32_t copy) {
      if (copy == after) network.stalled += stall;  // a judge that takes its time, on the thread of the loop
    };
    shard->start();
    EXPECT_TRUE(rig.network->run([&] { return shard->done(); }));
    shard->settle();
  }
  SimRig rig;
  Stalling network;
  std::optional<LoadShard> shard;
};

/// A copy that waits for the slot of one that is over and is being judged: the loop was busy, not the server.
TEST(Lateness, JudgingKeepsTheNextCopyWaitingAndIsOurs) {
  const auto stall = std::chrono::milliseconds(50);
  const Load load(1, {.rate = 1000, .total = 3}, stall, 0);
  const Load steady(1, {.rate = 1000, .total = 3}, Duration::zero(), 0);
  EXPECT_EQ(steady.shard->own_lateness().max(), Duration::zero());
  const double seen = std::chrono::duration<double>(load.shard->own_lateness().max()).count();
  EXPECT_NEAR(seen, 0.050, 0.050 * 0.05);
  // The lateness of the operation counts from the intended start: the stall is in it, and nothing is stamped before it.
  const auto* with = load.shard->operations().find("story");
  const auto* without = steady.shard->operations().find("story");
  EXPECT_NEAR(std::chrono::duration<double>(with->lateness.max() - without->lateness.max()).count(), 0.050, 0.0025);
  EXPECT_NEAR(std::chrono::duration<double>(with->response.max() - without->response.max()).count(), 0.050, 0.0025);
}

/// Twenty copies, one a millisecond, in so many slots.
struct Twenty {
  explicit Twenty(unsigned slots)
      : shard(rig.scenario, rig.target, accounts(slots), network, rig.options, {.rate = 1000, .total = 20}) {}
  static std::string login(unsigned i) { return fmt::format("user-{}", i); }
  static std::vector<std::vector<scenario::PoolAccount>> accounts(unsigned slots) {
    std::vector<std::vector<scenario::PoolAccount>> out;
    for (unsigned i = 0; i < slots; ++i)
      out.push_back({{login(i), login(i) + "@example.test", Secret("pass"), std::nullopt}});
    return out;
  }
  SimRig rig{kOneMail, [](server::ServerOptions& options) {
               for (unsigned i = 0; i < 20; ++i)
                 options.accounts.push_back({login(i), login(i) + "@example.test", Secret("pass"), std::nullopt, ""});
             }};
  Stalling network{*rig.network};
  LoadShard shard;
};

/// Several that are due at once after a stall are all late, not only the last of them.
TEST(Lateness, EveryCopyOfABacklogCounts) {
  Twenty load(20);
  LoadShard& shard = load.shard;
  Stalling& network = load.network;
  shard.start();                                     // the first is due now
  network.stalled = std::chrono::milliseconds(100);  // the other nineteen 1 to 19 ms later, in the stall
  EXPECT_TRUE(load.rig.network->run([&] { return shard.done(); }));
  EXPECT_EQ(shard.own_lateness().count(), 20U);
  // 81 ms of the last to 99 ms of the second, within a bucket.
  EXPECT_EQ(shard.own_lateness().count_up_to(std::chrono::milliseconds(79)), 1U);
  EXPECT_NEAR(std::chrono::duration<double>(shard.own_lateness().max()).count(), 0.099, 0.099 * 0.05);
}

TEST(StartLine, AllBeginWhereTheLastCame) {
  StartLine line(2);
  std::optional<Time> first;
  std::thread other([&] { first = line.arrive(Time(1s), [] { return false; }); });
  const auto second = line.arrive(Time(3s), [] { return false; });
  other.join();
  EXPECT_EQ(first, second);
  EXPECT_EQ(first, Time(3s));
  EXPECT_EQ(line.late(), Duration::zero());
}

TEST(StartLine, WhoComesAfterTheTimeAgreedOnIsLateAndKeepsIt) {
  StartLine line(1, Time(2s));
  EXPECT_EQ(line.arrive(Time(5s), [] { return false; }), Time(2s));
  EXPECT_EQ(line.late(), Duration(3s));
}

TEST(StartLine, NobodyWaitsForAThreadThatIsGone) {
  StartLine line(2);
  line.leave();
  EXPECT_EQ(line.arrive(Time(1s), [] { return false; }), std::nullopt);
}

/// What was due before the end and that we came to only behind it, for our own doing, is begun: nobody may be missing.
TEST(Lateness, WhatWasDueBeforeTheEndIsBegunHoweverLateWeAre) {
  Twenty load(15);
  LoadShard& shard = load.shard;
  Stalling& network = load.network;
  shard.start();
  network.stalled = std::chrono::milliseconds(400);  // over the end, and its alarm has not rung
  shard.end();
  EXPECT_TRUE(load.rig.network->run([&] { return shard.done(); }));
  shard.settle();
  EXPECT_EQ(shard.progress().due, 20U);
  EXPECT_EQ(shard.progress().begun, 15U);
  EXPECT_EQ(shard.unserved(), 5U) << "of them no slot was free";
  EXPECT_GE(shard.own_lateness().percentile(50), std::chrono::milliseconds(380));
}

}  // namespace
}  // namespace mailproof::load
