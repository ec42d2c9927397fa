#include "core/bytes.h"

#include <gtest/gtest.h>

namespace mailproof {
namespace {

TEST(Printable, LeavesNothingThatCouldHarmATerminal) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  for (const char c : printable(all, 10'000)) EXPECT_TRUE(c >= 0x20 && c < 0x7f);
  EXPECT_EQ(printable("a\r\n\x1b[31m\xff"), "a\\r\\n\\x1b[31m\\xff");
}

TEST(Printable, IsCutAtItsLimit) {
  EXPECT_EQ(printable(std::string(500, 'x'), 10), "xxxxxxxxxx...");
  EXPECT_EQ(printable("0123456789", 10), "0123456789");
}

TEST(Case, FoldsAsciiOnly) {
  EXPECT_TRUE(iequals("InBoX", "INBOX"));
  EXPECT_FALSE(iequals("\xc4", "\xe4"));
  EXPECT_TRUE(istarts_with("X-Mailproof: v1", "x-mailproof"));
  EXPECT_FALSE(istarts_with("X", "X-"));
}

}  // namespace
}  // namespace mailproof
