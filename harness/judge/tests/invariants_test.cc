#include "judge/invariants.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "judge/case.h"

namespace mailproof::judge {
namespace {

std::vector<std::string> classes_of(const Invariant& invariant) {
  std::vector<std::string> out;
  std::string_view rest = invariant.classes;
  while (!rest.empty()) {
    const auto comma = std::min(rest.find(", "), rest.size());
    out.emplace_back(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 2, rest.size()));
  }
  return out;
}

/// "(I1, I3)" at the end of a requirement.
std::set<int> named_in(std::string_view requirement) {
  std::set<int> out;
  const auto open = requirement.rfind("(I");
  if (open == std::string_view::npos || !requirement.ends_with(')')) return out;
  for (auto at = requirement.find('I', open); at != std::string_view::npos; at = requirement.find('I', at + 1))
    out.insert(std::stoi(std::string(requirement.substr(at + 1))));
  return out;
}

TEST(Invariants, AreThirtyEightEachJudgedBySomething) {
  int number = 0;
  for (const Invariant& invariant : invariants()) {
    EXPECT_EQ(invariant.number, ++number);
    EXPECT_FALSE(invariant.what.empty());
    bool fails = false;
    for (const std::string& one : classes_of(invariant)) {
      const auto slash = one.find('/');
      ASSERT_NE(slash, std::string::npos) << one;
      fails = fails || finding_class(one.substr(0, slash), one.substr(slash + 1)).severity == Severity::fail;
    }
    EXPECT_TRUE(fails || invariant.number == 18) << "what breaks I" << number << " must be able to fail a run";
  }
  EXPECT_EQ(number, 38);
}

// A finding says which invariant it is about; the table says the same. plant_test.cc plants each of the classes.
TEST(Invariants, AreThoseThatTheFindingsName) {
  for (const FindingClass& known : finding_classes()) {
    const std::string id = fmt::format("{}/{}", known.judge, known.name);
    for (const int number : named_in(known.requirement)) {
      ASSERT_LE(number, 38) << id;
      EXPECT_THAT(classes_of(invariants()[static_cast<std::size_t>(number - 1)]), testing::Contains(id)) << number;
    }
  }
}

}  // namespace
}  // namespace mailproof::judge
