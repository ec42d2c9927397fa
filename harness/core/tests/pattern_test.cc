#include "core/pattern.h"

#include <gtest/gtest.h>

namespace mailproof {
namespace {

bool found(std::string_view pattern, std::string_view text) { return Pattern::checked(pattern).search(text); }

TEST(Pattern, MeansWhatEcmaScriptMeans) {
  EXPECT_TRUE(found("^\\+OK [0-9]+ [0-9]+$", "+OK 2 320"));
  EXPECT_FALSE(found("^a$", "a\n")) << "an end is the end of the text";
  EXPECT_FALSE(found("^b", "a\nb")) << "and its beginning no other line's";
  EXPECT_FALSE(found("a.b", "a\nb")) << "a dot is no line end";
  EXPECT_FALSE(found("a.b", "a\rb"));
  EXPECT_TRUE(found("^\\<a\\>\\'\\`$", "<a>'`")) << "signs, not borders of words and texts";
  EXPECT_FALSE(found("\\>", "a"));
  EXPECT_TRUE(found("^\\v$", "\x0b"));
  EXPECT_FALSE(found("\\v", "\n"));
  EXPECT_TRUE(found("^\\u0041\\x42$", "AB"));
  EXPECT_TRUE(found("\\\\<", "\\<")) << "a backslash for itself";
  EXPECT_TRUE(found("^(a|)$", ""));
  EXPECT_TRUE(found("^(?!-ERR)", "+OK"));
  EXPECT_TRUE(found("[^ -~\\t]",
                    "Gr\xc3\xbc\xc3\x9f"
                    "e"))
      << "octets above 127 are octets";
  EXPECT_FALSE(found("^[a-z]+$", "ABC"));
  EXPECT_TRUE(Pattern::checked("^[a-z]+$", Pattern::Letters::any_case).search("ABC"));
}

TEST(Pattern, MatchIsAboutAllOfTheText) {
  std::vector<std::string> groups;
  EXPECT_TRUE(Pattern::checked("<(.*?)@(.*?)>").match("<a@b>", &groups));
  EXPECT_EQ(groups, (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(Pattern::checked("a|ab").match("abc"));
  EXPECT_TRUE(Pattern::checked("a|ab").match("ab")) << "another alternative is tried where the first leaves something";
}

TEST(Pattern, ReplacesAsEcmaScriptDoes) {
  const auto replaced = [](std::string_view pattern, std::string_view text, std::string_view with) {
    return Pattern::checked(pattern).replace_first(text, with);
  };
  EXPECT_EQ(replaced("([0-9]+) ([0-9]+)", "+OK 2 320 x", "$2 $1"), "+OK 320 2 x");
  EXPECT_EQ(replaced("b", "abcb", "[$&$`$'$$]"), "a[bacb$]cb");
  EXPECT_EQ(replaced("(b)", "abc", "$11|$01|$2|$x|$"), "ab1|b||$x|$c");
  EXPECT_EQ(replaced("b", "abc", "\\n\\1"), "a\\n\\1c") << "a backslash is nothing special";
  EXPECT_EQ(replaced("x", "abc", "y"), "abc");
}

TEST(Pattern, WhatIsWrongIsSaidWithItsPlace) {
  EXPECT_EQ(Pattern::compile("a([b").error().why, "no ] ends the [ at character 3");
  EXPECT_EQ(Pattern::compile("[a]\\[[0-9").error().why, "no ] ends the [ at character 6");
  EXPECT_EQ(Pattern::compile("*a").error().why,
            "The repeat operator \"*\" cannot start a regular expression, at character 1");
  EXPECT_THROW(Pattern::checked("("), std::logic_error);
  EXPECT_FALSE(Pattern::compile(std::string(100'000, '('))) << "nor is it read one call a parenthesis deeper";
}

TEST(Pattern, ALongLineIsMatched) {
  const std::string line(64U << 10, 'a');
  EXPECT_TRUE(found("^(a|b)*$", line));
  EXPECT_FALSE(found("^(a|b)*$", line + "c"));
  EXPECT_TRUE(Pattern::checked("(a|b)*").match(line));
  EXPECT_TRUE(found("^[^ ]+$", std::string(8U << 20, 'a')));
  EXPECT_TRUE(found("x", std::string(8U << 20, 'a') + "x"));
}

TEST(Pattern, WhatTakesTooManyStepsOrTooMuchMemoryIsTrouble) {
  EXPECT_THROW(found("^(a+)+$", std::string(40, 'a') + "b"), PatternTrouble);
  EXPECT_THROW(found("^(a|b)*$", std::string(8U << 20, 'a')), PatternTrouble);
  try {
    found("^(a+)+$", std::string(40, 'a') + "b");
  } catch (const PatternTrouble& trouble) {
    EXPECT_EQ(std::string(trouble.what()),
              "a text of 41 octets could not be compared with the pattern \"^(a+)+$\": it takes too many steps. "
              "Whether it is like it is not known; a simpler pattern may tell");
  }
}

}  // namespace
}  // namespace mailproof
