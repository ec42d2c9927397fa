// A server may want time between two POP3 logins of an account, and refuse who comes sooner (RFC 2449 section 6.5).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "judge/judge.h"
#include "play/tests/sim_rig.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;
using testing::HasSubstr;

constexpr std::string_view kStory = R"(id: play.test
title: a test
needs: [pop3, imap, delivery]
accounts: [alice]
devices:
  mta:   {delivers: any}
  pc:    {pop3: alice, after_download: keep}
  taker: {pop3: alice, after_download: delete}
steps:
  - mta: {deliver: mail, to: alice, count: 2}
  - pc: {download: all, as: got}
  - pc: quit
  - mta: {deliver: more, to: alice}
  - taker: {see: more, within: 3s}
  - taker: {download: all, as: taken}
  - taker: quit
  - judge: {fate: mail, is: removed-by-client, by: taker, over: pop3}
)";

SimRig story(std::vector<WrongAction> of_every_answer = {}) {
  std::vector<WrongDialogue> dialogues;
  if (!of_every_answer.empty()) {
    WrongBlock block{.at = WrongBlock::At::regex, .protocol = Protocol::pop3, .text = ".*"};
    block.actions = std::move(of_every_answer);
    dialogues.push_back({{std::move(block)}});
  }
  return SimRig(
      scenario::parse(std::string(kStory), "play.yaml"),
      [](server::ServerOptions& options) { options.latitudes = {"pop3.login-delay"}; }, std::move(dialogues));
}
WrongAction edit(std::string pattern, std::string text) {
  return {.kind = WrongAction::Kind::edit, .text = std::move(text), .pattern = std::move(pattern)};
}

std::ptrdiff_t refused(const SimRig& rig) {
  const auto& events = rig.player->history().events();
  return std::count_if(events.begin(), events.end(),
                       [](const auto& e) { return e.what == What::connect && e.type == Type::fail; });
}

TEST(LoginDelay, OneRefusalTeachesItAndAllLoginsOfTheAccountWait) {
  auto rig = story();
  rig.play();
  EXPECT_EQ(rig.problem(), "");
  EXPECT_EQ(judge::judge(rig.player->history(), false).verdict, judge::Verdict::pass);
  EXPECT_EQ(refused(rig), 1);
  EXPECT_EQ(rig.last(What::see).type, Type::ok) << "the server's delay is not the mail's";
  EXPECT_GT(rig.took(), 20s);
}

/// Section 6.5: "with or without the LOGIN-DELAY error response".
TEST(LoginDelay, ARefusalNeedNotSaySo) {
  auto rig = story({edit("\\[LOGIN-DELAY\\] ", "")});
  rig.play();
  EXPECT_EQ(rig.problem(), "");
  EXPECT_EQ(judge::judge(rig.player->history(), false).verdict, judge::Verdict::pass);
}

TEST(LoginDelay, MoreThanAMinuteIsNotWaitedAndNobodyIsAccused) {
  auto rig = story({edit("LOGIN-DELAY 10$", "LOGIN-DELAY 900")});
  rig.play();
  const auto judged = judge::judge(rig.player->history(), false);
  EXPECT_EQ(judged.verdict, judge::Verdict::not_applicable);
  EXPECT_THAT(judged.note, HasSubstr("between two POP3 logins of an account (LOGIN-DELAY, RFC 2449 section 6.5)"));
  EXPECT_LT(rig.took(), 10s);
}

/// Announced and not enforced is a server like any other.
TEST(LoginDelay, WhatIsNotEnforcedIsNotWaited) {
  SimRig rig(scenario::parse(std::string(kStory), "play.yaml"), {}, {{{[] {
               WrongBlock block{.at = WrongBlock::At::regex, .protocol = Protocol::pop3, .text = ".*"};
               block.actions = {edit("LOGIN-DELAY 0$", "LOGIN-DELAY 300")};
               return block;
             }()}}});
  rig.play();
  EXPECT_EQ(judge::judge(rig.player->history(), false).verdict, judge::Verdict::pass);
  EXPECT_EQ(refused(rig), 0);
  EXPECT_LT(rig.took(), 5s);
}

}  // namespace
}  // namespace mailproof::play
