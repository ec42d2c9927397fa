#include "load/stats_json.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/rng.h"

namespace mailproof::load {
namespace {

using testing::HasSubstr;

/// So many seconds of a load of one or two stories, each second with a few operations; some fail.
LoadResult some_load(std::uint64_t seed, std::vector<std::string> stories) {
  Rng rng(seed);
  LoadResult out;
  out.stories = std::move(stories);
  out.target = "node-7";
  out.copies = 40;
  out.slots = 10;
  out.rate = 2.5;
  out.duration = "16s";
  out.seconds = 17.25;
  out.worst = judge::Verdict::pass;
  for (std::size_t n = 0; n < out.stories.size(); ++n) {
    StoryTotals totals;
    totals.operations.start(Time(2s));
    const auto row = out.stories.size() == 1 ? "story" : "story " + out.stories[n];
    for (int i = 0; i < 200; ++i) {
      const Time intended = Time(2s) + std::chrono::milliseconds(rng.below(16'000));
      const Time began = intended + std::chrono::microseconds(rng.below(900)),
                 end = began + std::chrono::microseconds(rng.below(90'000));
      auto& op = totals.operations.at(totals.operations.id(rng.one_in(3) ? row : "imap.fetch"));
      op.due(intended);
      op.begin(intended, began);
      if (rng.one_in(9))
        op.fail_as("no [OVERQUOTA]", end);
      else
        op.succeed(intended, began, end);
      totals.operations.moved(end, rng.below(5000), rng.below(500));
      totals.operations.gauge("running").span(began, end);
    }
    auto& asked = totals.audit.at(totals.audit.id("imap.fetch"));
    asked.due(Time(3s));
    asked.begin(Time(3s), Time(3s));
    asked.succeed(Time(3s), Time(3s), Time(4s));
    for (std::uint32_t copy = 0; copy < 5; ++copy)
      totals.samples.add("imap.fetch: no [OVERQUOTA]", {copy + rng.below(3), Duration(5ms), "0.1 S: a1 NO \x1b[31m"});
    totals.ledger = {40, 120, 110, 8, 2, {{"present", 100}, {"lost", 10}}, 10, 30, 20};
    totals.verdicts = {{"pass", 39}, {"fail", 1}};
    out.by_story.push_back(totals);
    out.all.merge(totals);
    Tally tally{{}, 2, {"copy 3: mail.1 of bob"}};
    tally.first.id = out.stories[n] + "/loss/lost";
    tally.first.requirement = "RFC 5321 section 4.2.5";
    tally.first.evidence = {"S: 250 ok"};
    out.findings[tally.first.id] = tally;
  }
  for (int i = 0; i < 40; ++i) out.generator.lateness.add(std::chrono::microseconds(rng.below(20'000)));
  return out;
}

TEST(StatsJson, IsReadAgainAsItWasWritten) {
  for (const auto& stories : {std::vector<std::string>{"a.one"}, std::vector<std::string>{"a.one", "b.two"}}) {
    LoadResult result = some_load(5, stories);
    result.slos = {{"lost = 0", "10", judge::Verdict::fail}};
    result.shard = Shard{2, 4, "2026-11-29T12:00:00Z", "2026-11-29T12:00:00.004Z", 4ms};
    result.doubts = {"shard 3 of 4 is missing"};
    const std::string written = to_json(result);
    const auto read = parse_stats(written, "stats.json");
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(to_json(*read), written);
    const auto* fetch = read->all.operations.find("imap.fetch");
    ASSERT_NE(fetch, nullptr);
    EXPECT_EQ(*fetch, *result.all.operations.find("imap.fetch"));
    EXPECT_EQ(verdict_of(*read), verdict_of(result));
  }
}

TEST(StatsJson, IsRefusedWhereItDoesNotAddUp) {
  std::string text = to_json(some_load(5, {"a.one"}));
  EXPECT_FALSE(parse_stats("{}", "x"));
  EXPECT_FALSE(parse_stats(text.substr(0, text.size() / 2), "x"));
  const auto at = text.find("\"count\": ");
  text.insert(at + 9, "9");
  const auto read = parse_stats(text, "run/stats.json");
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message(), HasSubstr("run/stats.json: not the stats.json of a load"));
  EXPECT_THAT(read.error().message(), HasSubstr("a histogram does not add up"));
}

TEST(Samples, KeepTheLowestCopiesInWhateverOrder) {
  Samples one, two;
  for (const std::uint32_t copy : {9U, 2U, 7U}) one.add("imap.fetch: no", {copy, 1s, "text"});
  for (const std::uint32_t copy : {1U, 8U}) two.add("imap.fetch: no", {copy, 1s, "text"});
  Samples ab = one, ba = two;
  ab.merge(two);
  ba.merge(one);
  for (const Samples& merged : {ab, ba}) {
    const auto& kept = merged.all().at("imap.fetch: no");
    ASSERT_EQ(kept.size(), Samples::kMost);
    EXPECT_EQ(kept[0].copy, 1U);
    EXPECT_EQ(kept[1].copy, 2U);
    EXPECT_EQ(kept[2].copy, 7U);
  }
}

TEST(Samples, AServerCannotFillMemoryWithItsErrors) {
  Samples samples;
  for (int i = 0; i < 1000; ++i) samples.add(fmt::format("imap.fetch: {}", i), {0, 0s, std::string(100'000, 'x')});
  EXPECT_EQ(samples.all().size(), Samples::kMostClasses);
  EXPECT_EQ(samples.all().begin()->second.front().text.size(), Samples::kMostOctets);
}

}  // namespace
}  // namespace mailproof::load
