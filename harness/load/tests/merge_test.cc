#include "load/merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "load/tests/runs.h"

namespace mailproof::load {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

Part shard(unsigned index, unsigned of) {
  Part out{"s" + std::to_string(index), run_of(index, {.seconds = 5})};
  out.result.shard = Shard{index, of, "2026-11-29T12:00:00Z", "2026-11-29T12:00:00.000Z", {}};
  out.result.all.ledger.copies = out.result.by_story[0].ledger.copies = 3;
  return out;
}

TEST(Merge, TheOrderDoesNotMatter) {
  const auto one = merge({shard(1, 3), shard(2, 3), shard(3, 3)}),
             other = merge({shard(3, 3), shard(1, 3), shard(2, 3)});
  ASSERT_TRUE(one && other);
  EXPECT_TRUE(one->doubts.empty());
  EXPECT_EQ(*one->all.operations.find("imap.fetch"), *other->all.operations.find("imap.fetch"));
  EXPECT_EQ(one->all.operations.find("imap.fetch")->intended, 3U * 5 * 30);
  EXPECT_EQ(verdict_of(*one), Verdict::pass);
}

TEST(Merge, PromisesAreOfTheWhole) {
  Part first = shard(1, 2), second = shard(2, 2);
  for (Part* one : {&first, &second})
    one->result.slos = {{"imap.fetch rate > 40/s", "30.0/s", Verdict::fail},
                        {"imap.fetch rate < 40/s", "30.0/s", Verdict::pass}};
  const auto merged = merge({first, second});
  ASSERT_TRUE(merged);
  ASSERT_THAT(merged->slos, SizeIs(2));
  EXPECT_EQ(merged->slos[0].verdict, Verdict::pass) << merged->slos[0].measured;
  EXPECT_EQ(merged->slos[1].verdict, Verdict::fail) << merged->slos[1].measured;
}

TEST(Merge, AShardThatIsMissingIsSaidFirst) {
  const auto merged = merge({shard(1, 3), shard(3, 3)});
  ASSERT_TRUE(merged);
  EXPECT_THAT(to_text(*merged), testing::StartsWith("SHARD 2 OF 3 IS MISSING"));
  EXPECT_EQ(verdict_of(*merged), Verdict::inconclusive);
}

TEST(Merge, AShardThatWasLateOrInterruptedVoidsIt) {
  Part late = shard(2, 2);
  late.result.shard->late = 1500ms;
  auto merged = merge({shard(1, 2), late});
  ASSERT_TRUE(merged);
  EXPECT_THAT(to_text(*merged), testing::StartsWith("SHARD 2 OF 2 WAS LATE by 1.5 s"));
  EXPECT_EQ(verdict_of(*merged), Verdict::inconclusive);
  Part cut = shard(2, 2);
  cut.result.interrupted = true;
  merged = merge({shard(1, 2), cut});
  ASSERT_TRUE(merged);
  EXPECT_THAT(to_text(*merged), HasSubstr("SHARD 2 OF 2 WAS INTERRUPTED"));
  Part apart = shard(2, 2), first = shard(1, 2);
  apart.result.shard = Shard{2, 2, "", "2026-11-29T12:00:09.000Z", {}};
  first.result.shard->start_at = "";
  merged = merge({first, apart});
  ASSERT_TRUE(merged);
  EXPECT_THAT(to_text(*merged), testing::StartsWith("THE SHARDS DID NOT BEGIN TOGETHER"));
  EXPECT_EQ(verdict_of(*merged), Verdict::inconclusive);
}

TEST(Merge, ALimitThatAShardMetIsThatOfTheWhole) {
  Part limited = shard(2, 2);
  limited.result.doubts = {"GENERATOR-LIMITED: this process may open no more files"};
  const auto merged = merge({shard(1, 2), limited});
  ASSERT_TRUE(merged);
  EXPECT_THAT(to_text(*merged), testing::StartsWith("GENERATOR-LIMITED: this process may open no more files"));
  EXPECT_EQ(verdict_of(*merged), Verdict::inconclusive);
}

TEST(Merge, AMillisecondIsNoDifference) {
  Part first = shard(1, 2), second = shard(2, 2);
  first.result.shard = Shard{1, 2, "", "2026-11-29T12:00:08.999Z", {}};
  second.result.shard = Shard{2, 2, "", "2026-11-29T12:00:09.001Z", {}};
  const auto merged = merge({first, second});
  ASSERT_TRUE(merged);
  EXPECT_TRUE(merged->doubts.empty()) << merged->doubts.front();
  second.result.settings = {{"looked into in the end", "10%"}};
  EXPECT_THAT(merge({first, second}).error().message(), HasSubstr("--audit"));
}

TEST(Merge, RefusesWhatIsNotOfOneLoad) {
  Part other = shard(2, 2);
  other.result.seed = 7;
  EXPECT_THAT(merge({shard(1, 2), other}).error().message(), HasSubstr("it is of another load than s1: seed"));
  EXPECT_THAT(merge({shard(1, 2), shard(1, 2)}).error().message(), HasSubstr("it is shard 1 of 2, as s1 is"));
  Part whole = shard(1, 1);
  whole.result.shard.reset();
  EXPECT_THAT(merge({whole}).error().message(), HasSubstr("it is no shard of a load"));
}

/// Copies are dealt to all threads of all shards: with other numbers of them some are dealt twice, and some not at all.
TEST(Merge, OfOtherThreadsIsOfAnotherLoad) {
  Part first = shard(1, 2), second = shard(2, 2);
  first.result.settings = {{"threads", "1"}};
  second.result.settings = {{"threads", "2"}};
  const auto merged = merge({first, second});
  ASSERT_FALSE(merged);
  EXPECT_THAT(merged.error().message(), HasSubstr("it is of another load than s1: --jobs: 1 and 2"));
  second.result.settings = {{"threads", "1"}, {"strict", "yes"}};
  EXPECT_THAT(merge({first, second}).error().message(), HasSubstr("--strict"));
  second.result.settings = first.result.settings;
  EXPECT_TRUE(merge({first, second}));
}

/// In the sum one late thing in a thousand of one shard is one in ten thousand.
TEST(Merge, AShardThatWasGeneratorLimitedIsNotThinnedOut) {
  std::vector<Part> parts;
  for (unsigned i = 1; i <= 10; ++i) {
    parts.push_back(shard(i, 10));
    parts.back().result.generator.lateness.add(1ms, i == 3 ? 1990 : 2000);
  }
  parts[2].result.generator.lateness.add(2s, 10);
  for (Part& one : parts) one.result.slos = {{"imap.fetch p99.9 < 1ms", "100 ms", Verdict::inconclusive}};
  ASSERT_TRUE(parts[2].result.generator.limited());
  const auto merged = merge(parts);
  ASSERT_TRUE(merged);
  EXPECT_TRUE(merged->generator.limited());
  EXPECT_EQ(verdict_of(*merged), Verdict::inconclusive) << "and no line is missed";
  EXPECT_THAT(to_text(*merged), HasSubstr("SHARD 3 OF 10 WAS GENERATOR-LIMITED"));
}

}  // namespace
}  // namespace mailproof::load
