#include "core/json_text.h"

#include <gtest/gtest.h>

#include <string>

namespace mailproof {
namespace {

std::string literal(std::string_view text) {
  std::string out;
  write_json_string(text, out);
  return out;
}

TEST(JsonText, EscapesWhatAStringMayNotHold) {
  EXPECT_EQ(literal(""), R"("")");
  EXPECT_EQ(literal("quote \" backslash \\ newline \n bell \a rubout \x7f"),
            R"("quote \" backslash \\ newline \u000a bell \u0007 rubout \u007f")");
  EXPECT_EQ(literal(std::string_view("nul \0 in it", 11)), R"("nul \u0000 in it")");
}

TEST(JsonText, KeepsUtf8AndReplacesWhatIsNone) {
  EXPECT_EQ(literal("e\xc3\xa9 \xe2\x82\xac \xf0\x9f\x93\xa7"), "\"e\xc3\xa9 \xe2\x82\xac \xf0\x9f\x93\xa7\"");
  EXPECT_EQ(literal("latin \xe4"), R"("latin \ufffd")");
  // Overlong, a surrogate, above U+10FFFF, torn: RFC 3629 section 4.
  for (const char* bad : {"\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    EXPECT_EQ(literal(bad).find(bad), std::string::npos);
    EXPECT_NE(literal(bad).find("\\ufffd"), std::string::npos);
  }
}

TEST(JsonText, NoTerminalAndNoCiReadsACommand) {
  EXPECT_EQ(literal("::error::x"), R"(":\u003aerror:\u003ax")");
  EXPECT_EQ(literal("##[section]"), R"("#\u0023[section]")");
  EXPECT_EQ(literal("\xc2\x85 \xd8\x9c \xe2\x80\xa8 \xe2\x80\x8f \xe2\x81\xa6"),
            R"("\u0085 \u061c \u2028 \u200f \u2066")");
}

TEST(JsonText, SaysWhereAnOctetIs) {
  const auto at = [](std::string_view text, std::size_t byte) {
    const auto [line, column] = place_in(text, byte);
    return std::to_string(line) + ":" + std::to_string(column);
  };
  EXPECT_EQ(at("", 0), "1:1");
  EXPECT_EQ(at("", 1), "1:1");
  EXPECT_EQ(at("ab\ncd", 2), "1:2");
  EXPECT_EQ(at("ab\ncd", 3), "1:3");
  EXPECT_EQ(at("ab\ncd", 4), "2:1");
  EXPECT_EQ(at("ab\ncd", 400), "2:3") << "behind the end";
}

}  // namespace
}  // namespace mailproof
