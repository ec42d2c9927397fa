#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "play/tests/sim_rig.h"

namespace mailproof::play {
namespace {

using history::Event;
using history::What;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kStory = R"(
accounts: [alice]
devices: {mta: {delivers: any}, phone: {imap: alice, idle: INBOX}, pc: {pop3: alice, after_download: delete}}
steps:
  - mta:   {deliver: mail, to: alice}
  - phone: {see: mail, within: 5s}
  - pc:    {download: new, as: got}
  - pc:    quit
)";

/// Our own mistakes are made where history is written: in what sessions tell, in what alarms do, and at the start.
void throw_at(Player& player, What what) {
  player.history().listen([what, thrown = false](const Event& e) mutable {
    if (e.what != what || std::exchange(thrown, true)) return;
    throw std::out_of_range("map::at");
  });
}

class Catching : public testing::TestWithParam<What> {};

TEST_P(Catching, WhatIsThrownIsAProblemOfItsScenarioAndTheOthersGoOn) {
  SimRig rig(kStory, [](server::ServerOptions& options) {
    options.accounts.push_back({"user-bob", "bob@example.test", Secret("pass"), std::nullopt, ""});
  });
  Player broken(rig.scenario, rig.target, rig.leased, *rig.network, rig.options);
  PlayOptions options = rig.options;
  options.copy = 1;
  Player beside(rig.scenario, rig.target, {{"user-bob", "bob@example.test", Secret("pass"), std::nullopt}},
                *rig.network, options);
  throw_at(broken, GetParam());
  beside.start();
  broken.start();
  EXPECT_TRUE(rig.network->run([&] { return broken.done() && beside.done(); }));

  EXPECT_TRUE(broken.broken());
  EXPECT_THAT(broken.problem(), HasSubstr("out_of_range: map::at"));
  const Event& last = broken.history().events().back();
  EXPECT_EQ(last.what, What::problem);
  EXPECT_EQ(last.code, "thrown");
  EXPECT_EQ(last.text, "our own error, not the server's, and the end of this: out_of_range: map::at was thrown");
  EXPECT_EQ(beside.problem(), "");
  EXPECT_EQ(beside.ledger().fate(1, 1), history::Fate::removed_by_client);
}

INSTANTIATE_TEST_SUITE_P(Where, Catching,
                         testing::Values(What::baseline, What::deliver, What::message, What::audit, What::step,
                                         What::enumerated),
                         [](const auto& at) { return std::string(history::name(at.param)); });

}  // namespace
}  // namespace mailproof::play
