#include "explore/shrink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "explore/write.h"
#include "scenario/parse.h"
#include "scenario/yaml/complaints.h"

namespace mailproof::explore {
namespace {

using scenario::Node;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kHead = R"(id: test.story
title: A long story
why: Because.
refs: [RFC 1939]
tags: [long]
needs: [imap, pop3, delivery]

accounts: {alice: {}, bob: {}}
devices:
  mta:    {delivers: any}
  phone:  {imap: alice, idle: INBOX}
  tablet: {imap: alice}
  pc:     {pop3: bob, after_download: delete}

steps:
)";

Node read(std::string_view text) {
  scenario::Complaints complaints("test.yaml");
  auto root = scenario::parse_root(text, "a story", complaints);
  EXPECT_TRUE(root && complaints.empty());
  const auto loaded = scenario::parse(text, "test.yaml");
  for (const auto& problem : loaded.problems) ADD_FAILURE() << problem.message() << "\n" << text;
  return root.value_or(Node{});
}

Node story(std::string_view steps) { return read(std::string(kHead) + std::string(steps)); }

/// Steps of the shortest story whose text still has all of these words.
std::string shortest(std::string_view steps, const std::vector<std::string>& words) {
  const auto shrunk = shrink(story(steps), "test.yaml", [&](const Node& candidate) {
    const std::string text = write(candidate).text;
    EXPECT_TRUE(scenario::parse(text, "test.yaml").problems.empty()) << "asked about what is no story:\n" << text;
    return std::all_of(words.begin(), words.end(),
                       [&](const std::string& word) { return text.find(word) != std::string::npos; });
  });
  EXPECT_TRUE(shrunk.finished);
  return write(shrunk.story).text;
}

constexpr std::string_view kSteps = R"(
  - mta:    {deliver: mail, to: alice, count: 6, size: 16KiB, kind: office}
  - mta:    {deliver: other, to: [alice, bob], expect: accepted}
  - phone:  {see: mail, within: 5s}
  - tablet: {flag: mail.5, with: [flagged, $Work], times: 4}
  - together:
      - phone:  {move: mail.2-4, to: Archive}
      - tablet: {flag: mail.6}
      - mta:    {deliver: third, to: alice}
  - phone:  {delete: mail.5}
  - pc:     {download: new, as: got}
  - pc:     quit
  - judge:  {fate: mail.5, is: removed-by-client, by: phone, over: imap}
)";

TEST(Shrink, LeavesTheStepsThatMatterAndWhatTheyNeed) {
  EXPECT_EQ(shortest(kSteps, {"delete: mail"}), R"(id: test.story
needs: [imap, delivery]

accounts: [alice]
devices:
  mta:   {delivers: any}
  phone: {imap: alice}

steps:
  - mta:   {deliver: mail, to: alice}
  - phone: {delete: mail}
)");
}

TEST(Shrink, MakesNumbersAndSizesSmallAsLongAsTheyMatter) {
  const std::string text = shortest(kSteps, {"delete: mail.2", "times: "});
  EXPECT_THAT(text, HasSubstr("{deliver: mail, to: alice, count: 2}"));
  EXPECT_THAT(text, HasSubstr("times: 1}"));
  EXPECT_THAT(shortest(kSteps, {"size: "}), HasSubstr("size: 1KiB}"));
}

TEST(Shrink, PutsStepsAtTheSameTimeOneAfterTheOtherUnlessThatMatters) {
  EXPECT_THAT(shortest(kSteps, {"move: mail"}), Not(HasSubstr("together")));
  const std::string both = shortest(kSteps, {"together:", "move: mail"});
  EXPECT_THAT(both, HasSubstr("  - together:\n      - "));
  EXPECT_THAT(both, Not(HasSubstr("delete")));
  EXPECT_EQ(steps_in(read(both)), 3U) << both;
}

TEST(Shrink, OneDeviceDoesWhatTwoDid) {
  const std::string text = shortest(kSteps, {"flag: mail", "delete: mail"});
  EXPECT_TRUE((text.find("phone") == std::string::npos) != (text.find("tablet") == std::string::npos)) << text;
}

TEST(Shrink, KeepsOneOfSeveralRecipients) {
  const std::string text = shortest(kSteps, {"pc:", "quit", "deliver: other"});
  EXPECT_THAT(text, HasSubstr("{deliver: other, to: "));
  EXPECT_THAT(text, Not(HasSubstr("to: [")));
}

TEST(Shrink, AsksAboutNoStoryTwice) {
  std::set<std::string> asked;
  const auto shrunk = shrink(story(kSteps), "test.yaml", [&](const Node& candidate) {
    EXPECT_TRUE(asked.insert(write(candidate).text).second);
    return write(candidate).text.find("delete") != std::string::npos;
  });
  EXPECT_EQ(asked.size(), shrunk.tries);
}

TEST(Shrink, WhatCannotBeShorterStays) {
  const auto shrunk = shrink(story(kSteps), "test.yaml", [](const Node&) { return false; });
  EXPECT_EQ(steps_in(shrunk.story), 11U);
  EXPECT_EQ(scenario::find(shrunk.story, "title"), nullptr) << "what tells of the longer story goes";
}

TEST(Shrink, EndsAtItsLimit) {
  std::size_t asked = 0;
  ShrinkLimits limits;
  limits.most_tries = 5;
  const auto fails = [&](const Node&) { return ++asked % 2 == 0; };
  EXPECT_FALSE(shrink(story(kSteps), "test.yaml", fails, limits).finished);
  EXPECT_EQ(asked, 5U);
  limits.stop = [] { return true; };
  EXPECT_EQ(shrink(story(kSteps), "test.yaml", fails, limits).tries, 0U);
}

TEST(Write, ReadsBackAsTheSameTree) {
  const std::string text = std::string(kHead) + R"(
  - mta:   {deliver: mail, to: alice, subject: "Mahnung: a, b # {c} \"d\""}
  - phone: {search: "SUBJECT \"x: y\"", finds: mail}
  - phone: {see: mail, flags: [flagged, $Work], within: 5s}
  - phone: sync
  - phone:
      idle: INBOX
  - phone: {create: 'true'}
)";
  const Node before = read(text);
  const std::string once = write(before).text;
  const Node after = read(once);
  EXPECT_EQ(write(after).text, once);
  EXPECT_EQ(one_line(after), one_line(before)) << once;
}

TEST(Write, AStepKeepsItsComment) {
  const std::string text = std::string(kHead) + R"(
  - mta:   {deliver: mail, to: alice}          # before all else
  - phone: {see: mail}
  - phone: {create: "a # b"}
)";
  const Node before = read(text);
  const Comments comments = comments_of(text, before);
  EXPECT_EQ(comments.size(), 1U);
  EXPECT_THAT(write(before, comments).text, HasSubstr("{deliver: mail, to: alice}"));
  EXPECT_THAT(write(before, comments).text, HasSubstr("  # before all else\n"));
}

TEST(Write, SaysInWhichLineAStepStands) {
  const Written written = write(story(kSteps));
  std::vector<std::string> lines;
  for (std::size_t from = 0, end = 0; (end = written.text.find('\n', from)) != std::string::npos; from = end + 1)
    lines.push_back(written.text.substr(from, end - from));
  ASSERT_EQ(written.steps.size(), 12U);  // with the line of together itself
  for (const auto& step : written.steps)
    EXPECT_THAT(lines.at(static_cast<std::size_t>(step.line) - 1), HasSubstr("- ")) << step.line;
}

}  // namespace
}  // namespace mailproof::explore
