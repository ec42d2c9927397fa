#include "wire/pop3/command.h"

#include <gtest/gtest.h>

namespace mailproof::pop3 {
namespace {

TEST(Pop3Success, ItsFormIsKnownFromTheCommand) {
  const auto success = [](std::string_view line) { return success_of(parse_command(line)); };
  EXPECT_EQ(success("noop"), Success::one_line);
  EXPECT_EQ(success("List"), Success::lines);
  EXPECT_EQ(success("LIST "), Success::lines);
  EXPECT_EQ(success("LIST 3"), Success::one_line);
  EXPECT_EQ(success("AUTH PLAIN"), Success::one_line);
  EXPECT_EQ(success("top 1 0"), Success::message);
  for (const char* other : {"RETR", "TOP", "XBLK", "", "CAPA x"}) EXPECT_EQ(success(other), Success::unknown);
}

}  // namespace
}  // namespace mailproof::pop3
