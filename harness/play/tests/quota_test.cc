#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "judge/judge.h"
#include "play/tests/sim_rig.h"

namespace mailproof::play {
namespace {

using history::What;

constexpr const char* kStory =
    "id: play.test\ntitle: a test\nneeds: [imap, delivery, lmtp, quota]\naccounts: {bob: {quota: 64KiB}}\n"
    "devices: {mta: {delivers: lmtp}, phone: {imap: bob}}\n"
    "steps:\n  - mta: {deliver: mail, to: bob, count: 2, size: 8KiB}\n  - phone: {see: mail, within: 5s}\n"
    "  - judge: {usage: bob}\n";

/// A server that tells this usage, in units of 1024 octets, whatever is there.
WrongDialogue tells(const std::string& usage) {
  WrongBlock block;
  block.at = WrongBlock::At::prefix;
  block.protocol = Protocol::imap;
  block.text = "GETQUOTAROOT";
  block.actions = {
      {.kind = WrongAction::Kind::edit, .text = "(STORAGE " + usage + " ", .pattern = R"(\(STORAGE \d+ )"}};
  return {{block}};
}

std::vector<std::string> found_with(const std::string& usage) {
  SimRig rig(scenario::parse(kStory, "play.yaml"), {}, {tells(usage)});
  rig.play();
  EXPECT_EQ(rig.problem(), "");
  std::vector<std::string> out;
  for (const auto& finding : judge::judge(rig.player->history(), false).findings)
    out.push_back(finding.id + ": " + finding.actual);
  return out;
}

TEST(Quota, AUsageThatNoNumberHoldsInOctetsIsNotTakenForNothing) {
  EXPECT_THAT(found_with("16"), testing::IsEmpty());
  // 2^54 KiB are 2^64 octets, and 16 more are what is there.
  EXPECT_THAT(found_with("18014398509482000"),
              testing::Contains(
                  testing::AllOf(testing::HasSubstr("quota/usage-wrong"), testing::HasSubstr("9223372036854775807"))));
  EXPECT_THAT(found_with("0"), testing::Contains(testing::HasSubstr("quota/usage-estimated")));
}

}  // namespace
}  // namespace mailproof::play
