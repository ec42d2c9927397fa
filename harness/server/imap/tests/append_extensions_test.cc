#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/imap/tests/rig.h"

namespace mailproof::server {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(MultiAppend, StoresAllWithTheirFlags) {
  ImapWorld world;
  ImapDevice phone(world, "alice");
  EXPECT_THAT(
      phone.say(
          "APPEND INBOX (\\Seen) {12+}\r\nSubject: a\r\n {12+}\r\nSubject: b\r\n (\\Flagged) {12+}\r\nSubject: c\r\n"),
      testing::ContainsRegex("a2 OK \\[APPENDUID [0-9]+ 1:3\\] Appended\r\n"));
  phone.say("SELECT INBOX");
  EXPECT_THAT(phone.say("FETCH 1:3 (FLAGS)"), StartsWith("* 1 FETCH (FLAGS (\\Seen \\Recent))\r\n* 2 FETCH (FLAGS "
                                                         "(\\Recent))\r\n* 3 FETCH (FLAGS (\\Flagged \\Recent))\r\n"));
}

TEST(MultiAppend, StoresNothingWhereOneIsRefused) {
  ImapWorld world;
  ImapDevice phone(world, "alice");
  EXPECT_THAT(phone.say("APPEND INBOX {12+}\r\nSubject: a\r\n {0+}\r\n"), HasSubstr("NO ")) << "zero octets cancel it";
  EXPECT_EQ(phone.status("APPEND INBOX {12+}\r\nSubject: a\r\n (\\Bogus) {12+}\r\nSubject: b\r\n"), "BAD");
  EXPECT_EQ(phone.status("APPEND INBOX {12+}\r\nSubject: a\r\n \"no date\" {12+}\r\nSubject: b\r\n"), "BAD");
  using namespace std::string_literals;
  EXPECT_EQ(phone.status("APPEND INBOX {12+}\r\nSubject: a\r\n {5+}\r\na\0b\r\n"s), "BAD") << "NUL";
  EXPECT_THAT(phone.say("STATUS INBOX (MESSAGES)"), HasSubstr("MESSAGES 0"));
}

TEST(MultiAppend, CountsAllAgainstTheQuota) {
  ImapWorld world;
  ImapDevice phone(world, "bob");
  const std::string half(40'000, 'x');
  EXPECT_THAT(phone.say("APPEND INBOX {40000+}\r\n" + half + " {40000+}\r\n" + half), HasSubstr("NO [OVERQUOTA]"));
  EXPECT_THAT(phone.say("STATUS INBOX (MESSAGES)"), HasSubstr("MESSAGES 0"));
}

class Replace : public testing::Test {
 protected:
  Replace() {
    for (int i = 1; i <= 3; ++i) phone_.append("INBOX", plain_message(i));
    phone_.say("SELECT INBOX");
  }
  ImapWorld world_;
  ImapDevice phone_{world_, "alice"};
};

TEST_F(Replace, TellsTheNewUidAndTakesTheOldOneAway) {
  EXPECT_THAT(phone_.say("REPLACE 2 INBOX (\\Draft) {12+}\r\nSubject: x\r\n"),
              testing::MatchesRegex("\\* OK \\[APPENDUID [0-9]+ 4\\] Replacement\r\n\\* 2 EXPUNGE\r\n\\* 3 EXISTS\r\n"
                                    "\\* [0-9] RECENT\r\na[0-9]+ OK Done\r\n"));
  EXPECT_THAT(phone_.say("UID SEARCH ALL"), StartsWith("* SEARCH 1 3 4\r\n"));
  EXPECT_THAT(phone_.say("UID REPLACE 3 Drafts {12+}\r\nSubject: y\r\n"), HasSubstr("* 2 EXPUNGE\r\n"));
  EXPECT_THAT(phone_.say("STATUS Drafts (MESSAGES)"), HasSubstr("MESSAGES 1"));
}

TEST_F(Replace, KeepsTheOldOneWhereItFails) {
  EXPECT_THAT(phone_.say("REPLACE 2 Nowhere {12+}\r\nSubject: x\r\n"), HasSubstr("NO [TRYCREATE]"));
  EXPECT_EQ(phone_.status("REPLACE 9 INBOX {12+}\r\nSubject: x\r\n"), "BAD");
  EXPECT_THAT(phone_.say("UID REPLACE 99 INBOX {12+}\r\nSubject: x\r\n"), HasSubstr("NO [NONEXISTENT]"));
  EXPECT_EQ(phone_.status("REPLACE 1 INBOX"), "BAD");
  EXPECT_EQ(phone_.status("REPLACE 1 INBOX {12+}\r\nSubject: x\r\n {12+}\r\nSubject: y\r\n"), "BAD")
      << "one message only";
  EXPECT_THAT(phone_.say("SEARCH ALL"), StartsWith("* SEARCH 1 2 3\r\n"));
  phone_.say("EXAMINE INBOX");
  EXPECT_THAT(phone_.say("REPLACE 1 INBOX {12+}\r\nSubject: x\r\n"), HasSubstr("NO [READ-ONLY]"));
  phone_.say("UNSELECT");
  EXPECT_EQ(phone_.status("REPLACE 1 INBOX {12+}\r\nSubject: x\r\n"), "BAD");
}

TEST(AppendLimit, IsToldAndKept) {
  ImapWorld world;
  ImapDevice phone(world, "alice");
  EXPECT_THAT(phone.say("STATUS INBOX (APPENDLIMIT)"), StartsWith("* STATUS \"INBOX\" (APPENDLIMIT 67108864)\r\n"));
  EXPECT_THAT(phone.say("APPEND INBOX {67108865}"), HasSubstr("NO [TOOBIG]"));
  EXPECT_THAT(phone.say("APPEND INBOX {67108864}"), StartsWith("+ "));
}

TEST(LiteralMinus, TakesFourKibibytesUnasked) {
  ImapWorld world(ImapWorld::with_latitude("imap.literal-minus"));
  ImapDevice phone(world, "alice");
  const auto offered = phone.say("CAPABILITY");
  EXPECT_THAT(offered, HasSubstr(" LITERAL- "));
  EXPECT_THAT(offered, Not(HasSubstr("LITERAL+")));
  EXPECT_EQ(phone.status("APPEND INBOX {4096+}\r\n" + std::string(4096, 'x')), "OK");
  EXPECT_THAT(phone.say("APPEND INBOX {4097+}\r\n" + std::string(4097, 'x')), HasSubstr("BAD [TOOBIG]"));
  EXPECT_THAT(phone.append("INBOX", std::string(5000, 'x')), HasSubstr("OK ")) << "asked for, it may be longer";
  EXPECT_THAT(phone.say("STATUS INBOX (MESSAGES)"), HasSubstr("MESSAGES 2"));
}

TEST(Utf8Accept, ChangesNamesAndHeaders) {
  ImapWorld world(ImapWorld::with_latitude("imap.utf8-accept"));
  ImapDevice phone(world, "alice");
  const std::string message = "Subject: Gr\xc3\xbc\xc3\x9f\x65\r\n\r\nx\r\n";
  EXPECT_THAT(phone.append("INBOX", message), HasSubstr("NO [CANNOT]"));
  EXPECT_EQ(phone.status("APPEND INBOX UTF8 (~{5+}\r\nhello)"), "BAD") << "not before ENABLE";
  phone.say("CREATE Gr&APwA3w-e");
  EXPECT_THAT(phone.say("LIST \"\" Gr*"), HasSubstr("Gr&APwA3w-e"));
  EXPECT_THAT(phone.say("ENABLE UTF8=ACCEPT"), StartsWith("* ENABLED UTF8=ACCEPT\r\n"));
  EXPECT_THAT(phone.say("LIST \"\" Gr*"), HasSubstr("\"Gr\xc3\xbc\xc3\x9f\x65\"\r\n"));
  EXPECT_EQ(phone.status("STATUS \"Gr\xc3\xbc\xc3\x9f\x65\" (MESSAGES)"), "OK");
  EXPECT_EQ(phone.status("STATUS \"x\xc3\x28\" (MESSAGES)"), "BAD");
  EXPECT_EQ(phone.status("APPEND INBOX UTF8 (~{" + std::to_string(message.size()) + "+}\r\n" + message + ")"), "OK");
  phone.say("SELECT INBOX");
  EXPECT_EQ(phone.status("SEARCH CHARSET UTF-8 ALL"), "BAD");
  EXPECT_THAT(phone.say("FETCH 1 (BODY.PEEK[HEADER.FIELDS (SUBJECT)])"), HasSubstr("Gr\xc3\xbc\xc3\x9f\x65"));
}

}  // namespace
}  // namespace mailproof::server
