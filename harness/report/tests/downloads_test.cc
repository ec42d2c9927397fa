#include "report/downloads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailproof::report {
namespace {

using judge::Severity;
using judge::Verdict;

ScenarioResult gone(const std::string& id) {
  ScenarioResult out;
  out.id = id;
  out.verdict = Verdict::inconclusive;
  judge::Finding finding;
  finding.id = id + "/removal/gone-after-download";
  finding.severity = Severity::latitude;
  finding.actual = "mail.1 went";
  out.findings.push_back(finding);
  return out;
}

TEST(Downloads, ThatGoEverywhereAreAPolicy) {
  RunResult run;
  run.scenarios = {gone("a"), gone("b")};
  settle_downloads(run);
  for (const auto& one : run.scenarios) {
    EXPECT_EQ(one.findings.front().severity, Severity::latitude);
    EXPECT_EQ(one.verdict, Verdict::inconclusive);
  }
}

TEST(Downloads, ThatGoInOneScenarioAndStayInAnotherAreLost) {
  RunResult run;
  run.scenarios = {gone("a"), gone("b"), {}};
  run.scenarios[1].findings.front().accepted = "known: so it is";
  run.scenarios[2].id = "c";
  run.scenarios[2].kept_download = true;
  settle_downloads(run);
  EXPECT_EQ(run.scenarios[0].findings.front().severity, Severity::fail);
  EXPECT_THAT(run.scenarios[0].findings.front().actual, testing::HasSubstr("in c what was downloaded and left stayed"));
  EXPECT_EQ(run.scenarios[0].verdict, Verdict::fail);
  EXPECT_EQ(run.scenarios[1].findings.front().severity, Severity::latitude) << "it was accepted";
  EXPECT_EQ(run.scenarios[2].verdict, Verdict::pass);
}

}  // namespace
}  // namespace mailproof::report
