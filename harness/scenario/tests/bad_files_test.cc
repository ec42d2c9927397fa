#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "scenario/scenario.h"
#include "scenario/target/target.h"

namespace mailproof::scenario {
namespace {

const std::string kBad = "harness/scenario/tests/bad";

std::vector<std::string> files() {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kBad))
    if (entry.path().extension() == ".yaml") out.push_back(entry.path().string());
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<Problem> problems_of(const std::string& file) {
  const auto environment = [](const std::string& name) { return name == "SET" ? "pw" : nullptr; };
  return file.find("/target/") == std::string::npos ? load({file}, kBad).problems
                                                    : load_target(file, environment).problems;
}

std::vector<std::string> expected_messages() {
  std::ifstream in(kBad + "/expected.txt");
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

/// Every mistake in bad/, word for word: file, line, column, the text, what was expected, the nearest known word.
TEST(BadFiles, AreRefusedWithExactlyTheseMessages) {
  std::vector<std::string> actual;
  for (const auto& file : files())
    for (const auto& problem : problems_of(file)) actual.push_back(problem.message().substr(kBad.size() + 1));
  EXPECT_THAT(actual, testing::ElementsAreArray(expected_messages()));
}

TEST(BadFiles, AreAllRefusedAndGiveNoScenario) {
  ASSERT_GT(files().size(), 50U);
  for (const auto& file : files()) {
    EXPECT_FALSE(problems_of(file).empty()) << file;
    if (file.find("/target/") == std::string::npos) {
      EXPECT_TRUE(load({file}, kBad).scenarios.empty()) << file;
    }
  }
}

TEST(BadFiles, ShowNoPassword) {
  for (const auto& file : files())
    for (const auto& problem : problems_of(file)) {
      EXPECT_THAT(problem.message(), testing::Not(testing::HasSubstr("hunter2")));
    }
}

}  // namespace
}  // namespace mailproof::scenario
