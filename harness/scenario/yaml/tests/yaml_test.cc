#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/rng.h"
#include "scenario/scenario.h"
#include "scenario/yaml/complaints.h"
#include "scenario/yaml/node.h"

namespace mailproof::scenario {
namespace {

using testing::ElementsAre;

constexpr std::string_view kStory = R"(id: mixed.pop-download-empties-the-phone
why: "The commonest \"missing mail\" ticket"   # a comment
needs: [quota, imap, delivery]
accounts: {alice: {quota: 64KiB}, bob: {}}
devices:
  mta:   {delivers: any}
  phone: {imap: alice, idle: 'IN''BOX'}
steps:
  - mta:   {deliver: mail, to: [alice, bob],
            count: 3}
  - phone: sync
)";

std::vector<std::string> messages(std::string_view text) {
  Complaints complaints("f.yaml");
  parse_yaml(text, complaints);
  std::vector<std::string> out;
  for (const auto& problem : complaints.take()) out.push_back(problem.message());
  return out;
}

TEST(Yaml, KeepsThePlacesOfKeysAndValues) {
  Complaints complaints("f.yaml");
  const auto root = parse_yaml(kStory, complaints);
  ASSERT_TRUE(root);
  EXPECT_TRUE(complaints.empty());
  const Node* devices = find(*root, "devices");
  ASSERT_NE(devices, nullptr);
  const Node* phone = find(*devices, "phone");
  ASSERT_NE(phone, nullptr);
  EXPECT_EQ(phone->key_pos.line, 7);
  EXPECT_EQ(phone->key_pos.column, 3);
  EXPECT_EQ(phone->pos.column, 10);
  const Node* idle = find(*phone, "idle");
  ASSERT_NE(idle, nullptr);
  EXPECT_EQ(idle->text, "IN'BOX");
  EXPECT_TRUE(idle->quoted);
  EXPECT_EQ(idle->pos.column, 30);
  const Node& deliver = find(*root, "steps")->children[0];
  EXPECT_EQ(entries_in_one_line(deliver), "mta: {deliver: mail, to: [alice, bob], count: 3}");
  EXPECT_EQ(find(deliver.children[0], "count")->pos.line, 10);
}

TEST(Yaml, ReadsTheSameWithAByteOrderMarkAndCarriageReturns) {
  std::string windows = "\xEF\xBB\xBF";
  for (char c : kStory) {
    if (c == '\n') windows += '\r';
    windows += c;
  }
  Complaints complaints("f.yaml");
  const auto here = parse_yaml(kStory, complaints);
  const auto there = parse_yaml(windows, complaints);
  ASSERT_TRUE(here && there);
  EXPECT_TRUE(complaints.empty());
  EXPECT_EQ(one_line(*here), one_line(*there));
  EXPECT_EQ(find(*there, "id")->pos.column, 5);
  EXPECT_EQ(find(*there, "steps")->children[1].pos.line, 11);
}

TEST(Yaml, CountsColumnsInCharacters) {
  EXPECT_THAT(messages("a: {\xC3\xA9t\xC3\xA9: 1, \xE2\x82\xAC: &x 2}\n"),
              ElementsAre("f.yaml:1:16: '&x'; expected the value itself: anchors and aliases are not used here"));
}

TEST(Yaml, ShortensLongTextBetweenCharacters) {
  std::string text = "title: &a \"";
  for (int i = 0; i < 100; ++i) text += "\xC3\xA9";
  const auto all = messages(text + "\"\n'" + std::string(100, 'x') + "': &b 1\n");
  ASSERT_EQ(all.size(), 2U);
  Complaints complaints("f.yaml");
  std::string sixty;
  for (int i = 0; i < 60; ++i) sixty += "\xC3\xA9";
  complaints.at({1, 1}, sixty + "\xC3\xA9", "less");
  EXPECT_EQ(complaints.take()[0].text, sixty + "...");
}

TEST(Yaml, BoundsTheFileItsDepthAndItsValues) {
  EXPECT_THAT(messages(std::string((1U << 20) + 1, ' ')),
              ElementsAre("f.yaml:1:1: '1048577 bytes'; expected a file of at most 1048576 bytes"));
  EXPECT_THAT(messages("a: 1 #" + std::string((1U << 20) - 6, ' ')), ElementsAre());

  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_THAT(messages(nested(32)), ElementsAre());
  EXPECT_THAT(messages(nested(33)), ElementsAre("f.yaml:1:33: '" + nested(33).substr(0, 60) +
                                                "...'; expected YAML that can be read (nested deeper than 32 levels)"));
  EXPECT_EQ(messages(std::string(1U << 20, '[')).size(), 1U);
  EXPECT_EQ(messages(std::string(1U << 20, '{')).size(), 1U);

  std::string wide = "[";
  for (int i = 0; i < 60'000; ++i) wide += "a,\n";
  ASSERT_EQ(messages(wide + "]").size(), 1U);
  EXPECT_EQ(messages(wide + "]")[0], "f.yaml:50000:1: 'a,'; expected YAML that can be read (more than 50000 values)");
}

TEST(Yaml, NamesTheFirstHundredProblemsOnly) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "same: 1\n";
  EXPECT_EQ(messages(text).size(), Complaints::kMaxProblems);
}

TEST(Yaml, RefusesEveryKindOfBrokenUtf8) {
  for (const char* broken : {"\x80", "\xC3", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                             "\xF5\x80\x80\x80", "\xE2\x82"}) {
    const auto all = messages("a: " + std::string(broken) + "\n");
    ASSERT_EQ(all.size(), 1U) << broken;
    EXPECT_THAT(all[0], testing::StartsWith("f.yaml:1:4: 'byte 0x"));
    EXPECT_THAT(all[0], testing::EndsWith("expected text in UTF-8"));
  }
  EXPECT_THAT(messages("a: \xED\x9F\xBF \xF4\x8F\xBF\xBF \xEF\xBF\xBD\n"), ElementsAre());
  EXPECT_EQ(messages(std::string("\x7F"
                                 "ELF\x02\x01\x01\0\0\n\0\0\n",
                                 12))
                .size(),
            1U);
}

/// A file cut off anywhere is refused or understood, and every complaint has a place in it.
TEST(Yaml, IsReadOrRefusedWhereverItIsCut) {
  for (std::size_t cut = 0; cut <= kStory.size(); ++cut)
    for (const auto& problem : parse(kStory.substr(0, cut), "f.yaml").problems) {
      EXPECT_GE(problem.pos.line, 1) << cut;
      EXPECT_LE(problem.pos.line, 13) << cut;
      EXPECT_GE(problem.pos.column, 1) << cut;
      EXPECT_FALSE(problem.expected.empty()) << cut;
    }
  EXPECT_TRUE(parse(kStory, "f.yaml").problems.empty());
}

TEST(Yaml, IsReadOrRefusedWhateverByteIsChanged) {
  Rng rng(7);
  for (int i = 0; i < 3000; ++i) {
    std::string text(kStory);
    for (int j = 0; j < 3; ++j)
      text[rng.below(static_cast<std::uint32_t>(text.size()))] = "[]{}:,'\"&*!|>%@\n\t -x\x01\xC3"[rng.below(23)];
    const auto loaded = parse(text, "f.yaml");
    EXPECT_EQ(loaded.scenarios.empty(), !loaded.problems.empty()) << text;
  }
}

}  // namespace
}  // namespace mailproof::scenario
