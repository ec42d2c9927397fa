#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "load/report.h"
#include "load/stats_json.h"

namespace mailproof::load {
namespace {

using judge::Verdict;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::StartsWith;

/// 800 copies due at 40/s in 20 slots: 500 ms each. 200 were played, each held its slot for so long, and the server
/// took so long of it.
LoadResult load(Duration held, Duration answering) {
  LoadResult out;
  out.stories = {"a.story"};
  out.target = "node-7";
  out.copies = 800;
  out.slots = 20;
  out.rate = 40;
  out.seconds = 20;
  StoryTotals totals;
  auto& story = totals.operations.at(totals.operations.id("story"));
  for (int i = 0; i < 800; ++i) story.due();
  for (int i = 0; i < 200; ++i) {
    story.begin(Time{}, Time{});
    story.succeed(Time{}, Time{}, Time{} + milliseconds(30));
    story.never(milliseconds(10'000), 3);
  }
  totals.ledger.copies = 200;
  totals.unserved = 600;
  totals.verdicts["pass"] = 200;
  out.by_story = {totals};
  out.all = totals;
  out.held = held * 200;
  out.answering = answering * 200;
  return out;
}

TEST(Unserved, IsOursWhereTheSlotsWereTooFew) {
  const LoadResult result = load(milliseconds(1480), milliseconds(36));
  EXPECT_EQ(verdict_of(result), Verdict::inconclusive);
  const std::string text = to_text(result);
  EXPECT_THAT(text,
              StartsWith("UNSERVED: 600 of 800 copies never began: the slots were the limit: a copy held its slot for "
                         "1480 ms, of which the server took 36 ms; at 40.0/s 20 slots leave it 500 ms; such a load "
                         "needs --copies 60.\n"));
  EXPECT_THAT(text, HasSubstr("inconclusive: 200 pass, 600 unserved\n"));
  EXPECT_THAT(to_json(result), HasSubstr("\"copies\": 800,\n \"played\": 200,\n \"unserved\": 600,"));
}

TEST(Unserved, OfAPlanCountsTheStoriesBesideAndNotTheCustomers) {
  LoadResult result = load(milliseconds(1480), milliseconds(36));
  result.plan.name = "office";
  result.all.ledger.copies += 5000;  // customers
  EXPECT_THAT(unserved(result).why, HasSubstr("a copy held its slot for 1480 ms"));
  EXPECT_THAT(unserved(result).why, HasSubstr("such a load needs in its also: copies: 60"));
  result = load(milliseconds(300), milliseconds(36));
  EXPECT_THAT(unserved(result).why, StartsWith("for a while every slot was in use"));
}

TEST(Unserved, IsTheServersWhereItsAnswersAloneTakeTooLong) {
  const LoadResult result = load(milliseconds(2500), milliseconds(2400));
  EXPECT_EQ(verdict_of(result), Verdict::fail);
  EXPECT_THAT(to_text(result), StartsWith("UNSERVED: 600 of 800 copies never began: the server was too slow"));
}

TEST(Unserved, IsNotTheServersWhereAFewSlotsMoreWouldDo) {
  EXPECT_EQ(verdict_of(load(milliseconds(1480), milliseconds(900))), Verdict::inconclusive);
}

TEST(Unserved, SaysNothingOfAServerWhereTheGeneratorWasTheLimit) {
  LoadResult result = load(milliseconds(2500), milliseconds(2400));
  result.generator.cpu = 0.95;
  EXPECT_EQ(verdict_of(result), Verdict::inconclusive);
  EXPECT_THAT(to_text(result), HasSubstr("the generator was the limit"));
}

TEST(Unserved, IsPartOfThePercentiles) {
  const LoadResult result = load(milliseconds(1480), milliseconds(36));
  const auto* story = result.all.operations.find("story");
  ASSERT_NE(story, nullptr);
  EXPECT_GE(story->response.percentile(50), milliseconds(9'900));
}

TEST(Unserved, IsNothingWhereAllWereServed) {
  LoadResult result = load(milliseconds(100), milliseconds(36));
  result.all.unserved = 0;
  EXPECT_EQ(verdict_of(result), Verdict::pass);
  EXPECT_THAT(to_text(result), StartsWith("a.story on node-7"));
}

}  // namespace
}  // namespace mailproof::load
