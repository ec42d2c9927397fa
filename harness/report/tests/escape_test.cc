#include "report/escape.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace mailproof::report {
namespace {

const std::string kSaid =
    "::error file=a::b ##[error]c ##vso[task.complete]d \x1b[2J \xc2\x85 \xe2\x80\xa8 \xe2\x80\xa9 \xe2\x80\x8f "
    "\xd8\x9c "
    "\xe2\x81\xa6 gr\xc3\xbc\xc3\x9f";

TEST(Plain, NoTerminalAndNoCiReadsACommand) {
  EXPECT_EQ(
      plain(kSaid),
      R"(:\x3aerror file=a:\x3ab #\x23[error]c #\x23vso[task.complete]d \x1b[2J \xc2\x85 \xe2\x80\xa8 \xe2\x80\xa9 )"
      R"(\xe2\x80\x8f \xd8\x9c \xe2\x81\xa6 gr)"
      "\xc3\xbc\xc3\x9f");
  EXPECT_EQ(plain(plain(kSaid)), plain(kSaid));
  EXPECT_EQ(markdown("::x::"), R"(:\\x3ax:\\x3a)");
}

TEST(Terminal, OurColoursStayAndNobodyElsesSequences) {
  EXPECT_EQ(terminal("\x1b[1;31mfail\x1b[0m ::x"), "\x1b[1;31mfail\x1b[0m :\\x3ax");
  EXPECT_EQ(terminal("\x1b[2J \x1b[ \x1b]0;title\x07"), "\\x1b[2J \\x1b[ \\x1b]0;title\\x07");
  EXPECT_EQ(terminal("\x1b["), "\\x1b[");
  EXPECT_EQ(terminal("a\n\tb"), "a\n\tb");
}

TEST(HarmlessJson, ReadsTheSame) {
  const nlohmann::json json = {{"::", kSaid}, {"##", "##[x]"}, {"a", {1, "b:", ":c"}}};
  const std::string text = harmless_json(json.dump(1));
  for (const char* command :
       {"::", "##", "\x1b", "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\x8f", "\xd8\x9c", "\xe2\x81\xa6"})
    EXPECT_EQ(text.find(command), std::string::npos) << command;
  EXPECT_EQ(nlohmann::json::parse(text), json);
}

}  // namespace
}  // namespace mailproof::report
