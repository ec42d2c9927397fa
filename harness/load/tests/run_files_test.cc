#include "load/run_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "load/report_html.h"

namespace mailproof::load {
namespace {

using judge::Verdict;
using testing::HasSubstr;
using testing::StartsWith;

LoadResult passed() {
  LoadResult out;
  out.stories = {"a.story"};
  out.target = "node-7";
  out.command = "mailproof load a.story --copies 5";
  StoryTotals totals;
  totals.ledger.copies = 5;
  totals.verdicts["pass"] = 5;
  out.by_story = {totals};
  out.all = totals;
  return out;
}

TEST(RunFiles, APromiseThatIsBrokenIsATestCaseThatFails) {
  LoadResult result = passed();
  EXPECT_EQ(report::verdict_of(as_run(result)), Verdict::pass);
  result.slos = {{"imap.fetch p99 < 250ms", "312 ms", Verdict::fail}, {"lost = 0", "0", Verdict::pass}};
  EXPECT_EQ(verdict_of(result), Verdict::fail);
  const report::RunResult run = as_run(result);
  EXPECT_EQ(report::verdict_of(run), Verdict::fail);
  ASSERT_EQ(run.scenarios.size(), 6U);
  EXPECT_EQ(run.scenarios[4].id, "load.slo.imap.fetch p99 < 250ms");
  EXPECT_EQ(run.scenarios[4].note, "312 ms");
  EXPECT_THAT(to_text(result), HasSubstr("MISSED imap.fetch p99 < 250ms                   312 ms"));
  EXPECT_THAT(report_html(result), HasSubstr("imap.fetch p99 &lt; 250ms"));
}

/// Twenty operations, each with responses from half a millisecond to half a minute in every second of ten minutes.
TEST(RunFiles, TenMinutesOfTheWorstFitHalfAMegabyte) {
  LoadResult result = passed();
  StoryTotals& totals = result.by_story.front();
  for (int n = 0; n < 20; ++n) {
    auto& op = totals.operations.at(totals.operations.id("imap.operation-" + std::to_string(n)));
    for (int second = 0; second < 600; ++second)
      for (int i = 0; i < 60; ++i) {
        const Time at{std::chrono::seconds(second)};
        op.due(at);
        op.begin(at, at);
        op.succeed(at, at, at + Duration(500'000LL << (i % 16)) + std::chrono::microseconds(i * 7 + second));
      }
  }
  result.all = totals;
  EXPECT_LT(report_html(result).size(), 500'000U);
}

/// What voids the figures voids them in every file.
TEST(RunFiles, ALoadThatSaysNothingPassesNowhere) {
  LoadResult limited = passed();
  limited.generator.cpu = 0.99;
  LoadResult doubtful = passed();
  doubtful.doubts = {"SHARD 2 OF 3 IS MISSING"};
  LoadResult unserved = passed();
  unserved.all.unserved = unserved.by_story[0].unserved = 3;
  LoadResult unanswered = passed();
  unanswered.all.ledger.unknown = 1;
  for (const LoadResult& result : {limited, doubtful, unserved, unanswered}) {
    EXPECT_EQ(verdict_of(result), Verdict::inconclusive);
    EXPECT_EQ(report::verdict_of(as_run(result)), Verdict::inconclusive);
    EXPECT_THAT(summary_markdown(result), StartsWith("# mailproof: inconclusive"));
    EXPECT_THAT(run_json(result), HasSubstr("\"verdict\": \"inconclusive\""));
  }
  LoadResult broke = passed();
  broke.note = "a generator thread broke off";
  broke.worst = Verdict::error;
  EXPECT_EQ(verdict_of(broke), report::verdict_of(as_run(broke)));
}

/// The reports and the exit status say the same of mail that was not handed over.
TEST(RunFiles, ALineOfThePlanDecidesOnMailInTheArrivalsAsWell) {
  LoadResult result = passed();
  result.stories = {"office"};
  result.plan.name = "office";
  auto& deliver = result.all.operations.at(result.all.operations.id("lmtp.deliver"));
  for (int i = 0; i < 100; ++i) {
    deliver.due();
    deliver.never(std::chrono::milliseconds(100), 1);
  }
  const auto arrivals = [&] {
    const report::RunResult run = as_run(result);
    for (const auto& one : run.scenarios)
      if (one.id == "load.arrivals") return one.verdict;
    return Verdict::error;
  };
  for (const auto& [line, verdict] :
       {std::pair("unserved < 1000", Verdict::pass), std::pair("imap.connect unserved = 0", Verdict::inconclusive)}) {
    result.slos = {{line, "100", Verdict::pass}};
    EXPECT_EQ(verdict_of(result), verdict) << line;
    EXPECT_EQ(arrivals(), verdict) << line;
  }
}

}  // namespace
}  // namespace mailproof::load
