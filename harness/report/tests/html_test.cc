#include "report/html.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace mailproof::report {
namespace {

/// The worst findings come first and only so many are shown, but the first stories are drawn: those of latitudes here.
TEST(Html, OnlyFindingsThatAreOnThePageAreLinkedTo) {
  for (const int latitudes : {0, 100}) {
    RunResult run;
    for (int i = 0; i < 300; ++i) {
      ScenarioResult one;
      one.id = fmt::format("sync.story-{}", i);
      one.verdict = judge::Verdict::fail;
      one.findings.emplace_back();
      one.findings.back().id = one.id + "/loss/lost";
      one.findings.back().severity = i < latitudes ? judge::Severity::latitude : judge::Severity::fail;
      one.lanes.names = {"phone"};
      one.lanes.events.emplace_back();
      run.scenarios.push_back(one);
    }
    const std::string page = report_html(run);
    const bool placed = page.find("id=\"finding-1\"") != std::string::npos;
    const bool linked = page.find("href=\"#finding-1\"") != std::string::npos;
    EXPECT_EQ(placed, latitudes == 0);
    EXPECT_EQ(linked, placed);
  }
}

}  // namespace
}  // namespace mailproof::report
