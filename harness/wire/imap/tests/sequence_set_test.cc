#include "wire/imap/sequence_set.h"

#include <gtest/gtest.h>

namespace mailproof::imap {
namespace {

TEST(SequenceSet, KeepsWhatWasWritten) {
  for (const char* text : {"1", "*", "1:*", "4:2", "2,4:7,9,12:*", "4294967295", "*:4,5:7", "1,1,1"}) {
    const auto set = SequenceSet::parse(text);
    ASSERT_TRUE(set) << text << ": " << set.error().message();
    EXPECT_EQ(set->format(), text);
  }
}

TEST(SequenceSet, RefusesWhatIsNone) {
  for (const char* text : {"", ",", "1,", ",1", "0", "1:0", "1:", ":1", "1:2:3", "4294967296",
                           "99999999999999999999999", "1 ", " 1", "-1", "1,,2", "a", "**", "1:*x"}) {
    EXPECT_FALSE(SequenceSet::parse(text)) << '"' << text << '"';
  }
  EXPECT_EQ(SequenceSet::parse("1,x").error().where, "column 2");
  EXPECT_EQ(SequenceSet::parse("1:0").error().where, "column 2");
}

TEST(SequenceSet, IsBounded) {
  EXPECT_TRUE(SequenceSet::parse("1,2,3", 3));
  EXPECT_FALSE(SequenceSet::parse("1,2,3,4", 3));
}

TEST(SequenceSet, SaysHowManyItNamesWithoutNamingThem) {
  EXPECT_EQ(SequenceSet::parse("1:4294967295,7,9:5")->named(), 4294967295UL + 1 + 5);
  EXPECT_EQ(SequenceSet::parse("*,3:*")->named(), 0U);
  auto set = SequenceSet::parse("10:20,1,30:4294967295").value();
  set.normalise();
  for (const std::uint32_t in : {1U, 10U, 15U, 20U, 30U, 4294967295U}) EXPECT_TRUE(set.covers(in)) << in;
  for (const std::uint32_t out : {2U, 9U, 21U, 29U}) EXPECT_FALSE(set.covers(out)) << out;
  EXPECT_FALSE(SequenceSet().covers(1));
}

// RFC 9051 section 9: "2,4:7,9,12:*" with 15 messages is 2,4,5,6,7,9,12,13,14,15; "*:4,5:7" with 10 is 4..10.
TEST(SequenceSet, ResolvesTheExamplesOfRfc9051) {
  auto set = SequenceSet::parse("2,4:7,9,12:*").value();
  set.normalise(15);
  EXPECT_EQ(set.format(), "2,4:7,9,12:15");
  EXPECT_EQ(set.count(), 10U);
  set = SequenceSet::parse("*:4,5:7").value();
  set.normalise(10);
  EXPECT_EQ(set.format(), "4:10");
}

TEST(SequenceSet, StarIsTheLargestEvenBelowTheOtherEnd) {
  const auto set = SequenceSet::parse("5:*").value();
  EXPECT_TRUE(set.contains(3, 3));
  EXPECT_FALSE(set.contains(2, 3));
  EXPECT_TRUE(set.contains(9, 9));
  EXPECT_FALSE(set.contains(10, 9));
  EXPECT_FALSE(set.contains(5, 0)) << "an empty mailbox has no largest";
}

TEST(SequenceSet, NormalisesToAscendingDisjointRanges) {
  auto set = SequenceSet::parse("9,1:3,2:5,6,20:10").value();
  set.normalise();
  EXPECT_EQ(set.format(), "1:6,9:20");
  set = SequenceSet::parse("1:4294967295,5").value();
  set.normalise();
  EXPECT_EQ(set.format(), "1:4294967295");
  EXPECT_EQ(set.count(), 4294967295U);
}

TEST(SequenceSet, VisitsInWrittenOrderUpToTheLargest) {
  std::vector<std::uint32_t> seen;
  SequenceSet::parse("7:5,1,1000000:4294967295,*").value().for_each(8, [&](std::uint32_t n) { seen.push_back(n); });
  EXPECT_EQ(seen, (std::vector<std::uint32_t>{5, 6, 7, 1, 8}));
  std::uint64_t n = 0;
  SequenceSet::parse("4294967290:*").value().for_each(4294967295U, [&](std::uint32_t) { ++n; });
  EXPECT_EQ(n, 6U);
}

TEST(SequenceSet, GrowsItsLastRange) {
  SequenceSet set;
  for (std::uint32_t n : {1U, 2U, 3U, 7U, 8U, 20U}) set.add(n);
  EXPECT_EQ(set.format(), "1:3,7:8,20");
  set.add(21, SequenceSet::star);
  EXPECT_EQ(set.format(), "1:3,7:8,20,21:*");
}

}  // namespace
}  // namespace mailproof::imap
