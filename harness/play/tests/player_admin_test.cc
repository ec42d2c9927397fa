#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "play/tests/sim_rig.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kBob = R"(
accounts: {bob: {quota: 64KiB}}
devices: {mta: {delivers: any}, pc: {pop3: bob}}
steps:
)";

std::string with(const std::string& steps) { return std::string(kBob) + steps; }

TEST(PlayerAdmin, ALimitIsChangedAndInTheEndSetBackTheLastChangeFirst) {
  SimRig rig(
      with("  - admin: {set_quota: bob, to: 256KiB}\n"
           "  - admin: {set_quota: bob, to: unlimited}\n"
           "  - mta: {deliver: mail, to: bob, expect: accepted}\n"));
  rig.play();
  EXPECT_EQ(rig.problem(), "");
  EXPECT_THAT(rig.admin->asked, ElementsAre("set_quota user-bob 262144", "set_quota user-bob",
                                            "set_quota user-bob 65536", "set_quota user-bob 65536"));
  EXPECT_EQ(rig.admin->requests.front().address, "bob@example.test");
  EXPECT_THAT(rig.told(What::admin), ElementsAre("invoke set_quota ", "ok  ", "invoke set_quota ", "ok  "))
      << "setting back is no part of the story";
  EXPECT_EQ(rig.last(What::admin).command, rig.last(What::admin).index - 1);
}

TEST(PlayerAdmin, OfTwoAccountsTheOneThatWasChangedLastComesFirst) {
  SimRig rig(R"(
accounts: {bob: {quota: 64KiB}, anna: {quota: 32KiB}}
devices: {mta: {delivers: any}}
steps:
  - admin: {set_quota: bob, to: 1MiB}
  - admin: {set_quota: anna, to: 1MiB}
)");
  rig.play();
  EXPECT_THAT(rig.admin->asked, ElementsAre("set_quota user-bob 1048576", "set_quota user-anna 1048576",
                                            "set_quota user-anna 32768", "set_quota user-bob 65536"));
}

TEST(PlayerAdmin, AnAccountThatHadNoLimitHasNoneAfterwards) {
  SimRig rig(R"(
accounts: [carol]
devices: {mta: {delivers: any}}
steps:
  - admin: {set_quota: carol, to: 16KiB}
)");
  rig.play();
  EXPECT_THAT(rig.admin->asked, ElementsAre("set_quota user-carol 16384", "set_quota user-carol"));
}

TEST(PlayerAdmin, TheHistoryKnowsWhoseLimitAndHowMuch) {
  SimRig rig(with("  - admin: {set_quota: bob, to: 256KiB}\n"));
  rig.play();
  const auto& asked = rig.player->history().event(rig.last(What::admin).command);
  EXPECT_EQ(asked.account, 1U);
  EXPECT_EQ(asked.get<history::LimitFacts>().octets, 262'144U);
  EXPECT_EQ(asked.step, 1U);
}

TEST(PlayerAdmin, ACustomersLimitIsAskedForByTheTargetsNameForIt) {
  SimRig rig(R"(
customers: {zulu: {quota: 1MiB}, acme: {quota: 128KiB}}
accounts: {zoe: {customer: zulu}, anna: {customer: acme}, ben: {customer: acme, quota: 64KiB}}
devices: {mta: {delivers: any}}
steps:
  - admin: {set_quota: acme, to: 16KiB}
)");
  rig.play();
  EXPECT_THAT(rig.admin->asked,
              ElementsAre("set_customer_quota target-acme 16384", "set_customer_quota target-acme 131072"));
  const auto& asked = rig.player->history().event(rig.last(What::admin).command);
  EXPECT_EQ(asked.code, "set_customer_quota");
  EXPECT_EQ(asked.text, "acme");
  EXPECT_EQ(asked.account, 0U);
}

TEST(PlayerAdmin, ACommandThatFailsIsAProblemAndTheStoryEnds) {
  SimRig rig(
      with("  - admin: {set_quota: bob, to: 256KiB}\n"
           "  - mta: {deliver: mail, to: bob}\n"));
  rig.admin->answer = [](const AdminRequest&) { return AdminReply{67, "doveadm: no such user"}; };
  rig.play();
  EXPECT_EQ(rig.problem(), "the admin command set_quota failed with status 67: doveadm: no such user");
  EXPECT_THAT(rig.told(What::admin), ElementsAre("invoke set_quota ", "fail  doveadm: no such user"));
  EXPECT_THAT(rig.told(What::deliver), IsEmpty());
}

TEST(PlayerAdmin, LimitsAreSetBackAlsoWhereTheStoryCannotGoOn) {
  SimRig rig(
      with("  - admin: {set_quota: bob, to: 256KiB}\n"
           "  - pc: connect\n"
           "  - mta: {deliver: mail, to: bob}\n"));
  rig.options.baseline = false;
  rig.ports->closed = {110};
  rig.play();
  EXPECT_THAT(rig.problem(), HasSubstr("connection refused"));
  EXPECT_THAT(rig.admin->asked, ElementsAre("set_quota user-bob 262144", "set_quota user-bob 65536"));
}

TEST(PlayerAdmin, ALimitThatCannotBeSetBackIsAProblem) {
  SimRig rig(with("  - admin: {set_quota: bob, to: 256KiB}\n"));
  rig.admin->answer = [&](const AdminRequest& request) {
    return request.octets == 65'536U ? AdminReply{1, "disk full"} : AdminReply{};
  };
  rig.play();
  EXPECT_EQ(rig.problem(), "a quota could not be set back: disk full");
}

TEST(PlayerAdmin, WithoutAnybodyWhoCanItIsAProblem) {
  SimRig rig(with("  - admin: restart\n"));
  rig.options.admin = nullptr;
  rig.play();
  EXPECT_EQ(rig.problem(), "nobody can administer this target");
}

TEST(PlayerAdmin, TheStoryWaitsUntilItIsDone) {
  SimRig rig(
      with("  - admin: {pause: 2s}\n"
           "  - admin: restart\n"
           "  - admin: kill\n"));
  rig.admin->takes = 3s;
  rig.play();
  EXPECT_EQ(rig.problem(), "");
  EXPECT_THAT(rig.admin->asked, ElementsAre("pause", "restart", "kill")) << "nothing to set back";
  EXPECT_EQ(rig.admin->requests.front().span, 2s);
  EXPECT_EQ(rig.took(), 9s);
  const auto lines = rig.told(What::admin);
  EXPECT_THAT(lines, ElementsAre("invoke pause ", "ok  ", "invoke restart ", "ok  ", "invoke kill ", "ok  "));
}

}  // namespace
}  // namespace mailproof::play
