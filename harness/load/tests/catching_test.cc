#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "load/shard.h"
#include "play/tests/sim_rig.h"

namespace mailproof::load {
namespace {

using play::Player;
using play::SimRig;
using testing::ElementsAre;

constexpr std::string_view kStory = R"(
accounts: [alice]
devices: {mta: {delivers: any}, phone: {imap: alice, idle: INBOX}, pc: {pop3: alice, after_download: delete}}
steps:
  - mta:   {deliver: mail, to: alice}
  - phone: {see: mail, within: 5s}
  - pc:    {download: new, as: got}
  - pc:    quit
)";

/// Where connecting throws while it is told to.
class Throwing final : public Network {
 public:
  explicit Throwing(Network& network) : network_(network) {}
  Time now() const override { return network_.now(); }
  std::unique_ptr<Link> open(const Endpoint& endpoint, Peer& peer) override {
    if (throws) throw std::out_of_range("map::at");
    return network_.open(endpoint, peer);
  }
  void set_alarm(Alarm& alarm, std::optional<Time> at) override { network_.set_alarm(alarm, at); }
  bool run(const std::function<bool()>& done) override { return network_.run(done); }
  bool simulated() const override { return true; }
  bool throws = false;

 private:
  Network& network_;
};

TEST(CatchingLoad, ACopyThatThrowsIsOverAndItsAccountsAreNotLentAgain) {
  SimRig rig(kStory, [](server::ServerOptions& options) {
    options.accounts.push_back({"user-bob", "bob@example.test", Secret("pass"), std::nullopt, ""});
  });
  Throwing network(*rig.network);
  const scenario::PoolAccount bob{"user-bob", "bob@example.test", Secret("pass"), std::nullopt};
  LoadShard shard(rig.scenario, rig.target, {{rig.leased[0]}, {bob}}, network, rig.options,
                  Arrivals{.rate = 0.01, .total = 4});  // one after the other
  std::vector<std::string> over;
  shard.on_copy = [&](std::unique_ptr<Player> player, std::uint32_t copy) {
    over.push_back(fmt::format("{} {}", player->history().account(1).login, player->broken() ? "broken" : "whole"));
    network.throws = copy == 0;
  };
  shard.start();
  EXPECT_TRUE(rig.network->run([&] { return shard.done(); }));
  EXPECT_THAT(over, ElementsAre("user-alice whole", "user-bob broken", "user-alice whole", "user-alice whole"));
}

}  // namespace
}  // namespace mailproof::load
