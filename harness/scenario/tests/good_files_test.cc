#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>

#include "scenario/story/verbs.h"
#include "scenario/yaml/complaints.h"
#include "scenario/yaml/node.h"

namespace mailproof::scenario {
namespace {

const std::string kEveryWord = "harness/scenario/tests/good/every-word.yaml";

TEST(GoodFiles, AreUnderstood) {
  const auto loaded = load({"harness/scenario/tests/good"}, "scenarios");
  for (const auto& problem : loaded.problems) ADD_FAILURE() << problem.message();
  EXPECT_FALSE(loaded.scenarios.empty());
}

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(GoodFiles, ThePageAboutTheLanguageNamesEveryVerbAndOption) {
  const auto page = contents("scenarios/README.md");
  for (Actor who : {kDeliverer, kImap, kPop3, kJudge, kAdmin})
    for (const auto& verb : verbs_of(who)) {
      EXPECT_THAT(page, testing::ContainsRegex("`([^`]*[ ,{])?" + verb + "[:,`]")) << verb;
      for (const auto& option : split_words(find_verb(verb, who)->options))
        EXPECT_THAT(page, testing::ContainsRegex("`([^`]*[ ,{])?" + option + "[:`]")) << verb << " " << option;
    }
}

/// The example at the top of the page, as it stands there.
TEST(GoodFiles, TheExampleOfThePageIsUnderstood) {
  const auto page = contents("scenarios/README.md");
  const auto begin = page.find("```yaml\n") + 8;
  const auto loaded = parse(page.substr(begin, page.find("```", begin) - begin), "scenarios/README.md");
  for (const auto& problem : loaded.problems) ADD_FAILURE() << problem.message();
  EXPECT_EQ(loaded.scenarios.size(), 1U);
}

/// The words that stand in a step: verbs bare or as keys, and options as keys.
void collect(const Node& action, std::set<std::string>& words) {
  if (action.kind == Node::Kind::scalar) words.insert(action.text);
  for (const auto& entry : action.children) words.insert(entry.key);
}

/// The file is checked against the schema too, so that a verb or option added here alone is noticed.
TEST(GoodFiles, EveryVerbAndOptionStandsInTheFileOfEveryWord) {
  Complaints complaints(kEveryWord);
  const auto root = parse_yaml(contents(kEveryWord), complaints);
  ASSERT_TRUE(root);
  std::set<std::string> words;
  for (const auto& step : find(*root, "steps")->children) collect(step.children.at(0), words);
  for (Actor who : {kDeliverer, kImap, kPop3, kJudge, kAdmin})
    for (const auto& verb : verbs_of(who)) {
      EXPECT_EQ(words.count(verb), 1U) << verb;
      for (const auto& option : split_words(find_verb(verb, who)->options))
        EXPECT_EQ(words.count(option), 1U) << verb << " " << option;
    }
}

}  // namespace
}  // namespace mailproof::scenario
