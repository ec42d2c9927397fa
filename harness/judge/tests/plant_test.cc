#include "judge/tests/plant.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "judge/case.h"

namespace mailproof::judge {
namespace {

std::string told(const Judgement& judgement) {
  std::string out;
  for (const Finding& finding : judgement.findings) {
    out += finding.id + "\n  expected: " + finding.expected + "\n  actual: " + finding.actual + "\n";
    for (const std::string& line : finding.evidence) out += "  | " + line + "\n";
    for (const std::string& line : finding.life) out += "  . " + line + "\n";
  }
  return out;
}

std::string test_name(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return text;
}

class Planted : public testing::TestWithParam<Plant> {};

TEST_P(Planted, IsFoundAndNothingElse) {
  Scene scene;
  GetParam().build(scene);
  const Judgement judgement = judge(scene.history, false);
  std::multiset<std::string> ids, expected{GetParam().others.begin(), GetParam().others.end()};
  expected.insert(GetParam().finding);
  for (const Finding& finding : judgement.findings) {
    ASSERT_TRUE(finding.id.starts_with("test.story/")) << finding.id;
    ids.insert(finding.id.substr(std::string_view("test.story/").size()));
    EXPECT_FALSE(finding.requirement.empty());
    EXPECT_FALSE(finding.expected.empty());
    EXPECT_FALSE(finding.actual.empty());
    EXPECT_FALSE(finding.evidence.empty() && finding.id.find("judging") == std::string::npos) << finding.id;
    EXPECT_EQ(finding.messages.empty(), finding.life.empty()) << finding.id;
  }
  EXPECT_EQ(ids, expected) << told(judgement);
  EXPECT_NE(judgement.verdict, Verdict::pass);
}

std::string name_of(const testing::TestParamInfo<Plant>& info) {
  return test_name(info.param.finding) + "_" + std::to_string(info.index);
}
INSTANTIATE_TEST_SUITE_P(Violations, Planted, testing::ValuesIn(plants()), name_of);

class Silent : public testing::TestWithParam<Silence> {};

TEST_P(Silent, NothingIsFound) {
  Scene scene;
  GetParam().build(scene);
  const Judgement judgement = judge(scene.history, true);
  EXPECT_EQ(judgement.verdict, Verdict::pass) << told(judgement);
  EXPECT_TRUE(judgement.findings.empty()) << told(judgement);
}

std::string silence_name(const testing::TestParamInfo<Silence>& info) { return test_name(info.param.name); }
INSTANTIATE_TEST_SUITE_P(Histories, Silent, testing::ValuesIn(silences()), silence_name);

/// A judge lands only with a planted violation of every class it claims to find.
TEST(FindingClasses, EveryOneIsPlantedSomewhere) {
  std::set<std::string> planted{"judging/crashed"};  // judge_test.cc
  for (const Plant& plant : plants()) planted.insert(plant.finding.substr(0, plant.finding.find('.')));
  for (const FindingClass& known : finding_classes()) {
    const std::string id = std::string(known.judge) + "/" + std::string(known.name);
    EXPECT_TRUE(planted.contains(id)) << "nobody plants " << id;
    planted.erase(id);
  }
  EXPECT_THAT(planted, testing::IsEmpty()) << "planted, but in no table";
}

TEST(FindingClasses, EveryJudgeHasSomeAndCitesWhatItStandsOn) {
  for (const Judge& judge : judges())
    EXPECT_TRUE(std::any_of(finding_classes().begin(), finding_classes().end(), [&](const FindingClass& known) {
      return known.judge == judge.name;
    })) << judge.name;
  EXPECT_THROW((void)finding_class("loss", "no-such-class"), std::logic_error);
}

}  // namespace
}  // namespace mailproof::judge
