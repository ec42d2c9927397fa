#include "explore/shrink_play.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenario/parse.h"

namespace mailproof::explore {
namespace {

using judge::Severity;
using judge::Verdict;

constexpr std::string_view kStory = R"(id: test.story
needs: [imap, delivery]
accounts: [alice]
devices: {mta: {delivers: any}, phone: {imap: alice}}
steps:
  - mta:   {deliver: mail, to: alice}
  - phone: {see: mail}
)";

scenario::Node tree() {
  scenario::Complaints complaints("test.yaml");
  return *scenario::parse_root(kStory, "a story", complaints);
}

report::ScenarioResult result(Verdict verdict, const std::string& finding_class = "",
                              Severity severity = Severity::fail) {
  report::ScenarioResult out;
  out.id = "test.story";
  out.verdict = verdict;
  if (finding_class.empty()) return out;
  judge::Finding finding;
  finding.id = "test.story/" + finding_class;
  finding.severity = severity;
  finding.requirement = "what must be";
  out.findings.push_back(finding);
  return out;
}

TEST(Replay, TheFirstFindingThatCountsIsWhatAStoryShows) {
  auto failed = result(Verdict::fail, "session/deviation", Severity::latitude);
  EXPECT_FALSE(failure_of(failed));
  failed.findings.push_back(result(Verdict::fail, "loss/lost").findings.front());
  EXPECT_EQ(failure_of(failed)->finding_class, "loss/lost");
  EXPECT_EQ(failure_of(failed, "session/deviation")->severity, Severity::latitude);
  EXPECT_FALSE(failure_of(failed, "content/altered"));
  failed.verdict = Verdict::error;
  EXPECT_FALSE(failure_of(failed)) << "an error of our own shows nothing of the server";
  failed.verdict = Verdict::fail;
  failed.findings.back().accepted = "known";
  EXPECT_FALSE(failure_of(failed));
}

TEST(Replay, TheSameClassSeverityAndVerdictIsTheSameFailure) {
  report::ScenarioResult now = result(Verdict::fail, "loss/lost");
  Replay replay(*failure_of(now), [&](const auto&, auto) { return now; }, {}, {"test.yaml"});
  EXPECT_TRUE(replay.still_fails(tree()));
  now = result(Verdict::fail, "loss/lost-in-move");
  EXPECT_FALSE(replay.still_fails(tree()));
  now = result(Verdict::fail, "loss/lost", Severity::inconclusive);
  EXPECT_FALSE(replay.still_fails(tree()));
  now = result(Verdict::error, "loss/lost");
  EXPECT_FALSE(replay.still_fails(tree()));
}

TEST(Replay, AStoryThatAccusesARightServerIsNoneAnyMore) {
  const auto wrong = result(Verdict::fail, "expectation/fate");
  report::ScenarioResult on_right = result(Verdict::pass);
  Replay replay(
      *failure_of(wrong), [&](const auto&, auto) { return wrong; }, [&](const auto&, auto) { return on_right; },
      {"test.yaml"});
  EXPECT_TRUE(replay.still_fails(tree()));
  on_right = wrong;
  EXPECT_FALSE(replay.still_fails(tree()));
  on_right = result(Verdict::inconclusive);
  EXPECT_FALSE(replay.still_fails(tree()));
}

TEST(Replay, AFlakyOneIsTriedUnderSeveralSeedsAndItsRateCounted) {
  std::vector<std::uint32_t> copies;
  const Play at_times = [&](const scenario::Scenario&, std::uint32_t copy) {
    copies.push_back(copy);
    return copy % 4 == 3 ? result(Verdict::fail, "loss/lost") : result(Verdict::pass);
  };
  const Failure failure{"loss/lost", Severity::fail, Verdict::fail, ""};
  EXPECT_FALSE(Replay(failure, at_times, {}, {"test.yaml", 0, 3}).still_fails(tree()));
  EXPECT_TRUE(Replay(failure, at_times, {}, {"test.yaml", 0, 5}).still_fails(tree()));
  EXPECT_THAT(copies, testing::ElementsAre(0, 1, 2, 0, 1, 2, 3));
  const Rate rate = Replay(failure, at_times, {}, {"test.yaml", 0, 1}).rate(tree(), 8);
  EXPECT_EQ(rate.failed, 2U);
  EXPECT_EQ(rate.played, 8U);
  EXPECT_EQ(rate.first, 3U);
}

}  // namespace
}  // namespace mailproof::explore
