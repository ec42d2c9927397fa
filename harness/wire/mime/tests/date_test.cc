#include "wire/mime/date.h"

#include <gtest/gtest.h>

namespace mailproof::mime {
namespace {

TEST(Dates, WrittenAndReadBack) {
  const DateTime d = from_unix_seconds(1795342327, 0);
  EXPECT_EQ(format_message_date(d), "Sun, 22 Nov 2026 10:12:07 +0000");
  EXPECT_EQ(format_internal_date(d), "22-Nov-2026 10:12:07 +0000");
  EXPECT_EQ(format_internal_date(from_unix_seconds(0)), " 1-Jan-1970 00:00:00 +0000");
  EXPECT_EQ(format_message_date(from_unix_seconds(-1, -150)), "Wed, 31 Dec 1969 21:29:59 -0230");
  for (const std::int64_t t :
       {std::int64_t{0}, std::int64_t{-86401}, std::int64_t{951782400}, std::int64_t{253402300799}}) {
    for (const int zone : {0, 60, -570, 14 * 60}) {
      if (t == 253402300799 && zone > 0) continue;
      const DateTime there = from_unix_seconds(t, zone);
      EXPECT_EQ(there.unix_seconds(), t);
      EXPECT_EQ(parse_message_date(format_message_date(there)), there);
      EXPECT_EQ(parse_internal_date(format_internal_date(there)), there);
    }
  }
}

TEST(Dates, FormsFoundInMail) {
  const auto seconds = [](std::string_view text) {
    const auto d = parse_message_date(text);
    return d ? d->unix_seconds() : -1;
  };
  EXPECT_EQ(seconds("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)"), 837595405);
  EXPECT_EQ(seconds("17 Jul 96 02:23 PDT"), 837595380);
  EXPECT_EQ(seconds("Sun, 22 Nov 2026 10:12:07 +0000 (UTC)"), 1795342327);
  EXPECT_EQ(seconds("22 Nov 26 10:12:07 GMT"), 1795342327);
  EXPECT_EQ(seconds("Sun ,\r\n 22 (day) Nov 2026 10:12:07 +0000"), 1795342327);
  EXPECT_EQ(seconds("29 Feb 2024 00:00:60 Z"), 1709164860);
}

TEST(Dates, AMomentIsOneInEveryZoneAndForm) {
  EXPECT_TRUE(same_internal_date(" 1-Jan-2026 00:00:05 +0000", "01-Jan-2026 00:00:05 +0000"));
  EXPECT_TRUE(same_internal_date(" 1-Jan-2026 00:00:05 +0000", "31-dec-2025 19:00:05 -0500"));
  EXPECT_TRUE(same_internal_date("soon", "soon"));
  EXPECT_FALSE(same_internal_date("soon", " 1-Jan-2026 00:00:05 +0000"));
  EXPECT_FALSE(same_internal_date(" 1-Jan-2026 00:00:05 +0000", " 1-Jan-2026 00:00:05 +0100"));
}

TEST(Dates, WrongOnesAreRefused) {
  for (const char* bad : {"", "yesterday", "32 Jan 2026 00:00 +0000", "29 Feb 2023 00:00 +0000",
                          "1 Foo 2026 00:00 +0000", "1 Jan 2026 24:00 +0000", "1 Jan 2026 00:60 +0000",
                          "1 Jan 2026 00:00:61 +0000", "1 Jan 2026 0000 +0000", "1 Jan 2026 00:00 +00",
                          "0 Jan 2026 00:00 Z", "1 Jan 99999 00:00 Z", "-1 Jan 2026 00:00 Z", "1 Jan 2026 00:00 +0060"})
    EXPECT_FALSE(parse_message_date(bad)) << bad;
  for (const char* bad : {"", "1-Jan-2026 00:00:00 +0000", " 1-Jan-2026 00:00:00 0000", "31-Feb-2026 00:00:00 +0000",
                          " 1-Jan-2026 0:00:00 +00000", " 1-Jan-2026T00:00:00 +0000", " 1-Jan-26   00:00:00 +0000",
                          "001-Jan-202600:00:00 +0000"})
    EXPECT_FALSE(parse_internal_date(bad)) << bad;
}

TEST(Dates, OfSearch) {
  EXPECT_EQ(parse_search_date("1-Feb-1994")->unix_seconds(), 760060800);
  EXPECT_EQ(parse_search_date("01-feb-1994")->unix_seconds(), 760060800);
  for (const char* bad : {"", "1-2-1994", "1-Feb-94", "30-Feb-1994", "1 Feb 1994", "1-Feb-1994 "})
    EXPECT_FALSE(parse_search_date(bad)) << bad;
}

}  // namespace
}  // namespace mailproof::mime
