// The same answer in other words: what a server may choose no check holds against it.
#include <gtest/gtest.h>

#include "play/talk/imap.h"

namespace mailproof::play {
namespace {

/// Both replies fit the pattern, one after the other, with the variables that the first bound.
bool same(std::string_view pattern, std::string_view one, std::string_view other) {
  TalkVariables variables;
  return match_imap(pattern, one, true, variables) && match_imap(pattern, other, true, variables);
}

TEST(SameReply, AVariableHoldsAMomentInAnyZone) {
  const std::string_view pattern = "* 1 FETCH (INTERNALDATE ${date})";
  const std::string_view first = "* 1 FETCH (INTERNALDATE \"01-Feb-2003 04:05:06 +0700\")";
  EXPECT_TRUE(same(pattern, first, "* 1 FETCH (INTERNALDATE \" 1-Feb-2003 04:05:06 +0700\")"));
  EXPECT_TRUE(same(pattern, first, "* 1 FETCH (INTERNALDATE \"31-Jan-2003 21:05:06 +0000\")"));
  EXPECT_FALSE(same(pattern, first, "* 1 FETCH (INTERNALDATE \"01-Feb-2003 04:05:06 +0000\")"));
}

TEST(SameReply, AVariableHoldsAListWithQuotedStringsOrLiterals) {
  const std::string_view pattern = "* 1 FETCH (ENVELOPE ${envelope})";
  const std::string_view first = "* 1 FETCH (ENVELOPE (NIL \"a \\\"b\\\"\" ((\"c\" NIL \"d\" \"e\"))))";
  EXPECT_TRUE(same(pattern, first, "* 1 FETCH (ENVELOPE (NIL {5}\r\na \"b\" ((\"c\" NIL {1}\r\nd \"e\"))))"));
  EXPECT_FALSE(same(pattern, first, "* 1 FETCH (ENVELOPE (NIL {5}\r\na \"B\" ((\"c\" NIL {1}\r\nd \"e\"))))"));
}

TEST(SameReply, AVariableHoldsAResponseCodeInAnyCase) {
  EXPECT_TRUE(same("NO ${code}", "NO [NONEXISTENT] no", "NO [Nonexistent] no"));
  EXPECT_TRUE(same("NO ${said:rest}", "NO [NONEXISTENT] no", "NO [nonexistent] no"));
  EXPECT_FALSE(same("NO ${code}", "NO [NONEXISTENT] no", "NO [NOPERM] no"));
  EXPECT_FALSE(same("OK ${code}", "OK [MAILBOXID (a)] ok", "OK [MAILBOXID (A)] ok"));
}

TEST(SameReply, ResourcesOfAQuotaComeInAnyOrder) {
  EXPECT_TRUE(
      same("* QUOTA ${_} ${all}", "* QUOTA \"\" (STORAGE 1 2 MESSAGE 3 4)", "* quota \"\" (Message 3 4 storage 1 2)"));
  EXPECT_FALSE(same("* QUOTA ${_} ${all}", "* QUOTA \"\" (STORAGE 1 2)", "* QUOTA \"\" (STORAGE 1 3)"));
  const std::string_view pattern = "* QUOTA ${_} (STORAGE ${used} ${_} ...)";
  EXPECT_TRUE(same(pattern, "* QUOTA \"\" (STORAGE 1 2)", "* QUOTA \"\" (MESSAGE 3 4 STORAGE 1 2)"));
  EXPECT_FALSE(same(pattern, "* QUOTA \"\" (STORAGE 1 2)", "* QUOTA \"\" (MESSAGE 1 2)"));
  EXPECT_FALSE(
      same("* QUOTA ${_} (STORAGE ${_} ${_})", "* QUOTA \"\" (STORAGE 1 2)", "* QUOTA \"\" (STORAGE 1 2 MESSAGE 3 4)"));
}

TEST(SameReply, FieldsOfASectionMayBeQuoted) {
  EXPECT_TRUE(same("* 1 FETCH (BODY[HEADER.FIELDS (X-LAST)] ${x})", "* 1 FETCH (BODY[HEADER.FIELDS (X-LAST)] \"a\")",
                   "* 1 FETCH (body[header.fields (\"X-Last\")] {1}\r\na)"));
}

TEST(SameReply, CapabilitiesAreComparedInCapitals) {
  TalkVariables variables;
  variables.values["resource"] = "STORAGE";
  EXPECT_TRUE(match_imap("* CAPABILITY QUOTA=RES-${resource}", "* CAPABILITY quota=RES-storage", false, variables));
}

TEST(SameReply, ARegularExpressionSeesLiteralsAsStringsAndNoCase) {
  EXPECT_TRUE(search_imap("* Esearch (TAG {2}\r\nt6) all 2:3,1", R"(^\* ESEARCH .*\bALL 2:3,1\b)"));
  EXPECT_TRUE(search_imap("* 1 FETCH (Uid 5 FLAGS ())", R"(^\* 1 FETCH \(.*UID [0-9])"));
  EXPECT_EQ(in_quotes("a {3}\r\nb\"\\ c"), "a \"b\\\"\\\\\" c");
  for (const std::string_view kept :
       {"{2}\r\n\r\n", "~{1}\r\na", "{1}\r\n\xc3", "\"{1}\r\na\"", "{9999", "{}\r\n", "text {5}"})
    EXPECT_EQ(in_quotes(kept), kept);
  EXPECT_EQ(in_quotes("{9}\r\nab"), "\"ab\"") << "a reply that was cut";
}

}  // namespace
}  // namespace mailproof::play
