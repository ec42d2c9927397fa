#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "play/tests/sim_rig.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr std::string_view kStory = R"(
accounts: [alice, bob]
devices: {agent: {delivers: command}}
steps:
)";

/// An exit status, what it means in SMTP's words, and what a step may expect of it.
struct Exit {
  int status;
  Type outcome;
  std::uint32_t code;
  std::string enhanced;
  std::string expected;
};

class CommandDelivery : public testing::TestWithParam<Exit> {};

TEST_P(CommandDelivery, TheExitStatusSaysWhatCameOfIt) {
  const Exit& one = GetParam();
  SimRig rig(fmt::format("{}  - agent: {{deliver: mail, to: alice, expect: {}}}\n", kStory, one.expected));
  rig.admin->answer = [&](const AdminRequest& request) {
    if (one.status == 0) put_into(*rig.server, request.address, *request.input, rig.network->now());
    return AdminReply{one.status, "what it said"};
  };
  rig.play();
  EXPECT_EQ(rig.problem(), "");
  const auto& told = rig.last(What::deliver);
  EXPECT_EQ(told.type, one.outcome);
  EXPECT_EQ(told.get<history::ReplyFacts>().code, one.code);
  EXPECT_EQ(told.code, one.enhanced);
  EXPECT_EQ(told.text, "what it said");
  EXPECT_EQ(told.account, 1U);
  EXPECT_EQ(rig.last(What::outcome).type, Type::ok) << rig.last(What::outcome).text;
  EXPECT_EQ(rig.fate(1), one.status == 0    ? history::Fate::present
                         : one.status == 75 ? history::Fate::deferred
                                            : history::Fate::refused);
}

INSTANTIATE_TEST_SUITE_P(Sysexits, CommandDelivery,
                         testing::Values(Exit{0, Type::ok, 250, "2.0.0", "accepted"},
                                         Exit{67, Type::fail, 550, "5.1.1", "refused"},
                                         Exit{69, Type::fail, 550, "", "refused"},
                                         Exit{75, Type::fail, 451, "", "deferred"},
                                         Exit{77, Type::fail, 552, "5.2.2", "refused"},
                                         Exit{77, Type::fail, 552, "5.2.2", "refused-or-bounced, status: 5.2.2"}),
                         [](const auto& made) { return fmt::format("Exit{}_{}", made.param.status, made.index); });

class FailedCommand : public testing::TestWithParam<int> {};

TEST_P(FailedCommand, IsNoAnswerOfTheServers) {
  SimRig rig(std::string(kStory) +
             "  - agent: {deliver: mail, to: [alice, bob], count: 2}\n"
             "  - agent: {deliver: more, to: bob}\n");
  rig.admin->answer = [&](const AdminRequest&) { return AdminReply{GetParam(), "usage: dovecot-lda"}; };
  rig.play();
  EXPECT_EQ(rig.problem(), fmt::format("the command deliver failed with status {}: usage: dovecot-lda", GetParam()));
  EXPECT_THAT(rig.admin->asked, ElementsAre("deliver user-alice")) << "it is not tried on and on";
  EXPECT_EQ(rig.last(What::deliver).type, Type::info);
}

INSTANTIATE_TEST_SUITE_P(Statuses, FailedCommand, testing::Values(-1, 1, 2, 64, 70, 78, 127, 137),
                         [](const auto& made) { return fmt::format("N{}", made.index); });

TEST(CommandDelivery, ARefusalIsMissedWhereItShouldBeAccepted) {
  // 75 puts it off, which is neither: nobody knows.
  for (const auto& [status, expected, type] :
       {std::tuple(77, "accepted", Type::fail), {75, "refused", Type::info}, {67, "deferred", Type::fail}}) {
    SimRig rig(fmt::format("{}  - agent: {{deliver: mail, to: alice, expect: {}}}\n", kStory, expected));
    rig.admin->answer = [exit = status](const AdminRequest&) { return AdminReply{exit, "no"}; };
    rig.play();
    EXPECT_EQ(rig.last(What::outcome).type, type) << status;
    EXPECT_EQ(rig.problem(), "");
  }
}

TEST(CommandDelivery, TheCommandIsGivenTheMessageAsItIs) {
  SimRig rig(std::string(kStory) + "  - agent: {deliver: mail, to: alice, kind: dot-lines}\n");
  rig.admin->answer = [&](const AdminRequest& request) {
    put_into(*rig.server, request.address, *request.input, rig.network->now());
    return AdminReply{};
  };
  rig.play();
  ASSERT_EQ(rig.admin->requests.size(), 1U);
  const auto& request = rig.admin->requests.front();
  EXPECT_EQ(request.login, "user-alice");
  EXPECT_EQ(request.address, "alice@example.test");
  EXPECT_EQ(request.input->size(), rig.player->history().message(1).size);
  EXPECT_THAT(*request.input, AllOf(HasSubstr("X-Mailproof: v1 "), HasSubstr("owner=alice@example.test"),
                                    HasSubstr("\r\n."), EndsWith("\r\n")));
  EXPECT_EQ(rig.last(What::message).hash, rig.player->history().message(1).hash) << "and so it is found";
}

TEST(CommandDelivery, EachRecipientHasARunOfItsOwn) {
  SimRig rig(std::string(kStory) + "  - agent: {deliver: mail, to: [alice, bob], count: 2}\n");
  rig.admin->takes = 1s;
  rig.admin->answer = [&](const AdminRequest& request) {
    if (request.login == "user-alice") return AdminReply{77, "over quota"};
    put_into(*rig.server, request.address, *request.input, rig.network->now());
    return AdminReply{};
  };
  rig.play();
  EXPECT_EQ(rig.problem(), "");
  EXPECT_THAT(rig.admin->asked,
              ElementsAre("deliver user-alice", "deliver user-bob", "deliver user-alice", "deliver user-bob"));
  EXPECT_EQ(rig.took(), 4s);
  for (const std::uint32_t message : {1U, 2U}) {
    EXPECT_EQ(rig.fate(message, 1), history::Fate::refused);
    EXPECT_EQ(rig.fate(message, 2), history::Fate::present);
  }
}

TEST(CommandDelivery, WithoutAnybodyWhoCanItIsAProblem) {
  SimRig rig(std::string(kStory) + "  - agent: {deliver: mail, to: alice}\n");
  rig.options.admin = nullptr;
  rig.play();
  EXPECT_EQ(rig.problem(), "nobody can run the target's commands");
}

constexpr std::string_view kOtherWays = R"(
accounts: [alice, bob]
devices:
  box:   {delivers: append}
  relay: {delivers: smtp}
  phone: {imap: alice}
steps:
)";

/// RFC 3501 section 6.3.11: NO to APPEND has many reasons. Only the one of room is what stories are about.
TEST(AppendDelivery, WhatIsRefusedForAnotherReasonThanRoomIsNotOwed) {
  for (const char* answer : {"[UNAVAILABLE] try later", "[LIMIT] Not that much", "not now", "[OVERQUOTA] full"}) {
    SimRig rig(
        scenario::parse("id: play.test\ntitle: a test\nneeds: [imap, delivery, smtp]\n" + std::string(kOtherWays) +
                            "  - box: {deliver: mail, to: alice, expect: accepted}\n"
                            "  - phone: {see: mail, within: 1s}\n",
                        "play.yaml"),
        {},
        {{{{.at = WrongBlock::At::prefix,
            .protocol = Protocol::imap,
            .text = "APPEND",
            .actions = {{.kind = WrongAction::Kind::say, .text = fmt::format("${{tag}} NO {}\r\n", answer)}}}}}});
    rig.target.delivery = {scenario::Way::append};
    rig.play();
    const bool room = std::string_view(answer).starts_with("[OVERQUOTA]");
    EXPECT_EQ(rig.last(What::outcome).type, room ? Type::fail : Type::info) << answer;
    EXPECT_EQ(rig.told(What::undone).empty(), room) << answer;
  }
}

/// Where SMTP asks for a login, it is the one who sends that logs in; without `from` that is the first recipient.
TEST(SubmissionDelivery, WithoutASenderTheFirstRecipientLogsIn) {
  SimRig rig(std::string(kOtherWays) +
             "  - relay: {deliver: mail, to: alice}\n"
             "  - relay: {deliver: more, to: [bob, alice]}\n"
             "  - phone: {see: mail, within: 1s}\n");
  for (Endpoint& endpoint : rig.target.smtp) endpoint.auth = true;
  rig.play();
  EXPECT_EQ(rig.problem(), "");
  EXPECT_EQ(rig.last(What::see).type, Type::ok);
  EXPECT_EQ(rig.logins("relay"), 2) << "one for each who sends";
}

}  // namespace
}  // namespace mailproof::play
