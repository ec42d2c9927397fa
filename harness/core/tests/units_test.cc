#include "core/units.h"

#include <gtest/gtest.h>

#include <limits>

namespace mailproof {
namespace {

TEST(Units, SizesKeepDecimalAndBinaryApart) {
  EXPECT_EQ(parse_size("512"), 512U);
  EXPECT_EQ(parse_size("64KiB"), 65536U);
  EXPECT_EQ(parse_size("64kB"), 64000U);
  EXPECT_EQ(parse_size("10 MB"), 10'000'000U);
  EXPECT_EQ(parse_size("1GiB"), 1ULL << 30);
}

TEST(Units, SizesRefuseWhatIsNoSize) {
  for (const char* text :
       {"", "KiB", "-1", "1.5MB", "64Kib", "64 K", "0x10", "99999999999999999999", "18446744073709551615KiB"})
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
}

TEST(Units, SizesPrintInTheUnitTheyAreWholeIn) {
  EXPECT_EQ(format_size(65536), "64KiB");
  EXPECT_EQ(format_size(64000), "64kB");
  EXPECT_EQ(format_size(65537), "65537");
  EXPECT_EQ(format_size(3U << 20), "3MiB");
}

TEST(Units, WhatIsToldInKibNeverWrapsToLittle) {
  EXPECT_EQ(octets_of_kib(64), 65536U);
  const auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(octets_of_kib(1ULL << 54), most) << "times 1024 that is 2^64, of which nothing is left";
  EXPECT_EQ(octets_of_kib(std::numeric_limits<std::uint64_t>::max()), most);
}

TEST(Units, DurationsNeedAUnit) {
  EXPECT_EQ(parse_duration("250ms"), Duration(250ms));
  EXPECT_EQ(parse_duration("14 days"), Duration(14 * 24h));
  EXPECT_EQ(parse_duration("1h"), Duration(1h));
  for (const char* text : {"", "5", "s", "-1s", "5sec", "99999999999h", "1.5s"})
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
}

TEST(Units, DurationsPrintShort) {
  EXPECT_EQ(format_duration(5s), "5s");
  EXPECT_EQ(format_duration(90s), "90s");
  EXPECT_EQ(format_duration(120s), "2m");
  EXPECT_EQ(format_duration(1500ms), "1500ms");
  EXPECT_EQ(format_duration(72h), "3d");
  EXPECT_EQ(format_seconds(1234567us), "1.235 s");
}

TEST(Units, RatesArePerSecond) {
  EXPECT_DOUBLE_EQ(parse_rate("20/s").value_or(0), 20);
  EXPECT_DOUBLE_EQ(parse_rate("90/m").value_or(0), 1.5);
  for (const char* text : {"20", "/s", "0/s", "-1/s", "20/h", "x/s", "nan/s"}) EXPECT_FALSE(parse_rate(text)) << text;
}

TEST(Units, TheNearestWordIsNearOrNone) {
  const std::vector<std::string> words = {"deliver", "delete", "download"};
  EXPECT_EQ(nearest_word("delivr", words), "deliver");
  EXPECT_EQ(nearest_word("removed", {"present", "moved", "removed-by-client"}), "removed-by-client");
  EXPECT_EQ(nearest_word("bounce", {"bounce-late", "bounce-never", "bounced"}), "bounced");
  EXPECT_EQ(nearest_word("delivery.supresses", {"delivery.queues", "delivery.suppresses-what-is-saved"}),
            "delivery.suppresses-what-is-saved");
  EXPECT_EQ(nearest_word("DELETE", words), "delete");
  EXPECT_EQ(nearest_word("quota", words), std::nullopt);
}

}  // namespace
}  // namespace mailproof
