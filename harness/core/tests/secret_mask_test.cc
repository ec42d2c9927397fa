#include "core/secret_mask.h"

#include <gtest/gtest.h>

#include "core/bytes.h"
#include "core/hash.h"
#include "core/without_commands.h"

namespace mailproof {
namespace {

const std::string kOdd = R"(pa"ss\w&rd <1>)";

SecretMask mask_of(std::string_view user, const std::string& password) {
  SecretMask mask;
  mask.add(user, Secret(password));
  return mask;
}

std::string masked(const std::string& text, const std::string& password = "correct-horse",
                   std::string_view user = "alice") {
  return mask_of(user, password).masked(text);
}

TEST(SecretMask, WhereverALongOneStands) {
  EXPECT_EQ(masked("-ERR 'correct-horse' is wrong"), "-ERR '***' is wrong");
  EXPECT_EQ(masked("xcorrect-horsex correct-horse"), "x***x ***");
  EXPECT_EQ(masked("Correct-Horse is another"), "Correct-Horse is another");
  EXPECT_EQ(masked(""), "");
  EXPECT_EQ(SecretMask().masked("correct-horse"), "correct-horse");
}

TEST(SecretMask, InBase64AloneOrWithinAnything) {
  const std::string password = "correct-horse";
  EXPECT_EQ(masked("535 no: " + base64(password)), "535 no: ***");
  for (const std::string& before : {std::string("\0alice\0", 7), std::string("alice\0alice\0", 12),
                                    std::string("x\0al\0", 5), std::string("user=alice\1auth=Bearer ")})
    EXPECT_EQ(masked("AUTH PLAIN " + base64(before + password) + " refused"), "AUTH PLAIN *** refused") << before;
  EXPECT_EQ(masked("[" + base64(password + "\1\1") + "]"), "[***]");
}

TEST(SecretMask, InEveryEscapedForm) {
  EXPECT_EQ(masked("LOGIN alice " + kOdd, kOdd), "LOGIN alice ***");
  EXPECT_EQ(masked(R"(LOGIN alice "pa\"ss\\w&rd <1>")", kOdd), R"(LOGIN alice "***")");
  EXPECT_EQ(masked("LOGIN alice {14}\r\n" + kOdd + "\r\n", kOdd), "LOGIN alice {14}\r\n***\r\n");
  EXPECT_EQ(masked(R"(<b>pa&quot;ss\w&amp;rd &lt;1&gt;</b>)", kOdd), "<b>***</b>");
  EXPECT_EQ(masked("?p=pa%22ss%5Cw%26rd%20%3C1%3E&", kOdd), "?p=***&");
  EXPECT_EQ(masked("?p=pa%22ss%5cw%26rd%20%3c1%3e&", kOdd), "?p=***&");
  EXPECT_EQ(masked(R"({"p":"tab\u0009ular-one"})", "tab\tular-one"), R"({"p":"***"})");
  const std::string umlaut =
      "gr\xc3\xbc\xc3\x9f"
      "e-allerseits";
  EXPECT_EQ(masked(printable("-ERR " + umlaut), umlaut), "-ERR ***");
}

/// It may be an everyday word, or a part of one.
TEST(SecretMask, AShortOneOnlyAsAWordOfItsOwn) {
  EXPECT_EQ(masked("-ERR pass is wrong, 'pass'; passage and bypass and pass1 stay, PASS too", "pass"),
            "-ERR *** is wrong, '***'; passage and bypass and pass1 stay, PASS too");
  EXPECT_EQ(masked("535 " + base64("pass") + " no", "pass"), "535 *** no");
  EXPECT_EQ(masked("AUTH PLAIN " + base64(std::string("\0alice\0pass", 11)), "pass"), "AUTH PLAIN ***");
}

TEST(SecretMask, AVeryShortOneOnlyBehindALogin) {
  EXPECT_EQ(masked("-ERR a user is not a mailbox", "a"), "-ERR a user is not a mailbox");
  EXPECT_EQ(masked("no: PASS a; no: LOGIN alice a", "a"), "no: PASS ***; no: LOGIN alice ***");
  EXPECT_EQ(masked(R"(no: LOGIN "alice" "a")", "a"), R"(no: LOGIN "alice" "***")");
  EXPECT_EQ(masked("AUTH PLAIN " + base64(std::string("\0alice\0a", 8)), "a"), "AUTH PLAIN ***");
  EXPECT_EQ(masked("AUTH PLAIN " + base64(std::string("alice\0alice\0a", 13)), "a"), "AUTH PLAIN ***");
}

TEST(SecretMask, TheBeginningOfOneWhereATextIsCut) {
  EXPECT_EQ(masked("-ERR you said correct-h"), "-ERR you said ***");
  EXPECT_EQ(masked("-ERR you said correct-h..."), "-ERR you said ***...");
  EXPECT_EQ(masked(R"(PASS: refused (last seen: "you said correct-hor"))"),
            R"(PASS: refused (last seen: "you said ***"))");
  EXPECT_EQ(masked("-ERR incor"), "-ERR incor");
}

TEST(SecretMask, ANameIsLeftAloneByShortOnes) {
  std::string name = "INBOX";
  mask_of("alice", "INBOX").mask_name(name);
  EXPECT_EQ(name, "INBOX");
  name = "copy of correct-horse";
  mask_of("alice", "correct-horse").mask_name(name);
  EXPECT_EQ(name, "copy of ***");
}

TEST(SecretMask, SeveralAccounts) {
  SecretMask mask = mask_of("alice", "correct-horse");
  mask.add("bob", Secret("battery-staple"));
  mask.add("carol", Secret("correct-horse"));
  EXPECT_EQ(mask.masked("correct-horse battery-staple"), "*** ***");
  EXPECT_EQ(mask.masked("correct-horsebattery-staple"), "***");
}

TEST(WithoutCommands, NoCiReadsOneAnywhere) {
  EXPECT_EQ(without_commands("::error file=a::b"), R"(:\x3aerror file=a:\x3ab)");
  EXPECT_EQ(without_commands("x ##[error]y ##vso[task.complete]z ##teamcity[a]"),
            R"(x #\x23[error]y #\x23vso[task.complete]z #\x23teamcity[a])");
  EXPECT_EQ(without_commands("::::"), R"(:\x3a:\x3a)");
  EXPECT_EQ(without_commands("###[x]"), R"(##\x23[x])");
  EXPECT_EQ(without_commands("## Findings, a:b, #1, [::1]:143, 2001:db8::a, (::1; fe80::1)"),
            "## Findings, a:b, #1, [::1]:143, 2001:db8::a, (::1; fe80::1)");
  EXPECT_EQ(without_commands("::add-mask::1 line=1::5 ::deadbeef::"),
            R"(:\x3aadd-mask:\x3a1 line=1:\x3a5 :\x3adeadbeef:\x3a)");
  EXPECT_EQ(without_commands("##[::]"), R"(#\x23[:\x3a])");
}

}  // namespace
}  // namespace mailproof
