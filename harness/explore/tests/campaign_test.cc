#include "explore/campaign.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailproof::explore {
namespace {

using testing::HasSubstr;

report::ScenarioResult result(const std::string& id, judge::Verdict verdict, const std::string& found = "",
                              judge::Severity severity = judge::Severity::fail) {
  report::ScenarioResult out;
  out.id = id;
  out.verdict = verdict;
  if (!found.empty()) {
    judge::Finding finding;
    finding.id = id + "/" + found;
    finding.severity = severity;
    out.findings.push_back(finding);
  }
  return out;
}

TEST(Campaign, OfEachClassTheWorldWithTheLowestSeedIsToldOf) {
  Campaign campaign;
  EXPECT_FALSE(campaign.ended(3, result("explore.seed-3", judge::Verdict::pass)));
  EXPECT_TRUE(campaign.ended(9, result("explore.seed-9", judge::Verdict::fail, "loss/lost")));
  EXPECT_FALSE(campaign.ended(5, result("explore.seed-5", judge::Verdict::fail, "loss/lost")));
  EXPECT_TRUE(campaign.ended(7, result("explore.seed-7", judge::Verdict::fail, "view/exists-fell")));
  ASSERT_EQ(campaign.found().size(), 2U);
  EXPECT_EQ(campaign.found()[0].seed, 5U);
  EXPECT_EQ(campaign.found()[0].worlds, 2U);
  EXPECT_EQ(campaign.found()[0].finding.id, "explore.seed-5/loss/lost");
  EXPECT_THAT(campaign.summary(60),
              HasSubstr("4 worlds, 0 operations, 60.0 s, 4 worlds a minute: 2 kinds of findings"));
}

TEST(Campaign, AFindingBesideAnotherIsToldOfAsWell) {
  Campaign campaign;
  auto both = result("explore.seed-1", judge::Verdict::fail, "loss/lost");
  both.findings.push_back(both.findings.front());
  both.findings.push_back(result("explore.seed-1", judge::Verdict::fail, "quota/usage-wrong").findings.front());
  both.findings.push_back(
      result("explore.seed-1", judge::Verdict::fail, "duplicates/late", judge::Severity::latitude).findings.front());
  EXPECT_TRUE(campaign.ended(1, both));
  EXPECT_FALSE(campaign.ended(2, result("explore.seed-2", judge::Verdict::fail, "quota/usage-wrong")));
  ASSERT_EQ(campaign.found().size(), 2U);
  EXPECT_THAT(campaign.summary(1), HasSubstr("  fail loss/lost: 1 world, the first of seed 1\n"
                                             "  fail quota/usage-wrong: 2 worlds, the first of seed 1\n"));
  EXPECT_THAT(campaign.summary(1), HasSubstr("  latitude duplicates/late: 1 time\n"));
}

TEST(Campaign, ALatitudeIsNoFindingUnlessItFails) {
  Campaign campaign;
  EXPECT_FALSE(campaign.ended(
      1, result("explore.seed-1", judge::Verdict::latitude, "duplicates/late", judge::Severity::latitude)));
  EXPECT_THAT(campaign.summary(1), HasSubstr("latitude duplicates/late: 1 time"));
  EXPECT_TRUE(Campaign(true).ended(
      2, result("explore.seed-2", judge::Verdict::fail, "duplicates/late", judge::Severity::latitude)));
}

TEST(Campaign, WhatTheTargetIsKnownForIsCountedAndNotFound) {
  Campaign campaign;
  auto known = result("explore.seed-2", judge::Verdict::known_fail, "content/altered");
  known.findings.front().accepted = "known: a header of its own";
  EXPECT_FALSE(campaign.ended(2, known));
  EXPECT_FALSE(campaign.found_any());
  EXPECT_THAT(campaign.summary(1), HasSubstr("known, and not counted: content/altered: 1 time\n"));
}

TEST(Campaign, SaysWhatCouldNotBeJudged) {
  Campaign campaign;
  auto unclear = result("explore.seed-4", judge::Verdict::inconclusive);
  unclear.note = "nobody knows";
  EXPECT_FALSE(campaign.ended(4, unclear));
  EXPECT_THAT(campaign.summary(1), HasSubstr("not judged: 1 world, the first of seed 4: nobody knows"));
  EXPECT_THAT(campaign.verdicts(), testing::ElementsAre(judge::Verdict::inconclusive));
}

TEST(Campaign, NamesTheStatesThatNoWorldReached) {
  Campaign campaign;
  history::History history;
  campaign.look(history);
  EXPECT_THAT(campaign.summary(1), HasSubstr("never reached:\n         append-cut"));
}

}  // namespace
}  // namespace mailproof::explore
