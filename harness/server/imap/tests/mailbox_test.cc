#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/imap/tests/rig.h"

namespace mailproof::server {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(ImapSession, GreetsLogsInAndOut) {
  ImapWorld world;
  ImapDevice phone(world);
  EXPECT_THAT(phone.take(), StartsWith("* OK [CAPABILITY IMAP4rev1 "));
  EXPECT_EQ(phone.status("SELECT INBOX"), "BAD");
  EXPECT_THAT(phone.say("LOGIN alice wrong"), HasSubstr("NO [AUTHENTICATIONFAILED]"));
  EXPECT_THAT(phone.say("LOGIN \"Alice@Example.test\" {6+}\r\nsecret"), HasSubstr("OK [CAPABILITY "));
  EXPECT_EQ(phone.status("LOGIN alice secret"), "BAD");
  EXPECT_EQ(phone.say("LOGOUT"), "* BYE Logging out\r\na5 OK Done\r\n");
  EXPECT_EQ(phone.peer().wants(), Wants::close);
}

TEST(ImapSession, SelectTellsWhatRfc3501Section631Asks) {
  ImapWorld world;
  ImapDevice phone(world, "alice");
  phone.append("INBOX", plain_message(1), "(\\Seen) ");
  phone.append("INBOX", plain_message(2));
  const auto answer = phone.say("SELECT inbox");
  for (const auto* part : {"* FLAGS (", "* 2 EXISTS\r\n", "* 2 RECENT\r\n", "[UNSEEN 2]", "[UIDVALIDITY 1",
                           "[UIDNEXT 3]", "[PERMANENTFLAGS (", "[HIGHESTMODSEQ 3]", "OK [READ-WRITE]"}) {
    EXPECT_THAT(answer, HasSubstr(part));
  }
  EXPECT_THAT(phone.say("EXAMINE INBOX"), HasSubstr("* 0 RECENT\r\n"));
  EXPECT_THAT(phone.say("STORE 1 +FLAGS (\\Deleted)"), HasSubstr("NO [READ-ONLY]"));
  EXPECT_THAT(phone.say("SELECT Nowhere"), HasSubstr("NO [NONEXISTENT]"));
  EXPECT_EQ(phone.status("FETCH 1 FLAGS"), "BAD") << "a failed SELECT leaves nothing selected";
}

TEST(ImapSession, AppendedMailComesBackByteForByte) {
  ImapWorld world;
  ImapDevice phone(world, "alice");
  const auto sent = plain_message(3);
  EXPECT_THAT(phone.append("INBOX", sent, "(\\Flagged $Work) \"17-Jul-1996 02:44:25 -0700\" "),
              HasSubstr("[APPENDUID "));
  phone.say("SELECT INBOX");
  EXPECT_EQ(phone.say("FETCH 1 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])"),
            "* 1 FETCH (UID 1 INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE " + std::to_string(sent.size()) +
                " BODY[] {" + std::to_string(sent.size()) + "}\r\n" + sent +
                " FLAGS (\\Flagged \\Recent $Work))\r\na4 OK Done\r\n");
  EXPECT_THAT(phone.say("UID FETCH 1 BODY[]"), HasSubstr("FLAGS (\\Seen \\Flagged \\Recent $Work)"));
}

TEST(ImapSession, TwoSessionsLearnOfEachOtherWhereTheyMay) {
  ImapWorld world;
  ImapDevice phone(world, "alice");
  ImapDevice desk(world, "alice");
  for (int i = 1; i <= 3; ++i) phone.append("INBOX", plain_message(i));
  phone.say("SELECT INBOX");
  desk.say("SELECT INBOX");

  desk.say("STORE 2 +FLAGS.SILENT (\\Deleted)");
  EXPECT_THAT(desk.say("EXPUNGE"), StartsWith("* 2 EXPUNGE\r\n"));
  // FETCH, STORE and SEARCH by number keep the phone's numbers (RFC 3501 section 7.4.1); number 2 is still the old one.
  EXPECT_THAT(phone.say("FETCH 2:3 (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])"),
              testing::AllOf(HasSubstr("UID 2 "), HasSubstr("part 2"), HasSubstr("* 3 FETCH (UID 3"),
                             Not(HasSubstr("EXPUNGE"))));
  EXPECT_THAT(phone.say("STORE 2 +FLAGS (\\Seen)"), HasSubstr("NO [EXPUNGEISSUED]"));
  EXPECT_EQ(phone.status("STORE 2 +FLAGS.SILENT (\\Seen)"), "OK");
  EXPECT_THAT(phone.say("NOOP"), StartsWith("* 2 EXPUNGE\r\n"));
  EXPECT_THAT(phone.say("FETCH 2 UID"), StartsWith("* 2 FETCH (UID 3)\r\n"));

  phone.say("STORE 1 +FLAGS (\\Seen)");
  EXPECT_THAT(desk.say("NOOP"), StartsWith("* 1 FETCH (FLAGS (\\Seen))\r\n"));
}

TEST(ImapSession, IdleTellsAtOnceAndWakes) {
  ImapWorld world;
  ImapDevice phone(world, "alice");
  ImapDevice desk(world, "alice");
  phone.say("SELECT INBOX");
  EXPECT_EQ(phone.say("IDLE"), "+ idling\r\n");
  desk.append("INBOX", plain_message(1));
  EXPECT_TRUE(phone.woken());
  EXPECT_EQ(phone.take(), "* 1 EXISTS\r\n* 1 RECENT\r\n");
  desk.say("SELECT INBOX");
  desk.say("STORE 1 +FLAGS (\\Seen \\Deleted)");
  EXPECT_EQ(phone.take(), "* 1 FETCH (FLAGS (\\Seen \\Deleted \\Recent))\r\n");
  desk.say("EXPUNGE");
  EXPECT_EQ(phone.take(), "* 1 EXPUNGE\r\n");
  phone.send("DONE\r\n");
  EXPECT_EQ(phone.take(), "a3 OK IDLE over\r\n");
}

TEST(ImapSession, MoveAndCopyGiveTheirUids) {
  ImapWorld world;
  ImapDevice phone(world, "alice");
  for (int i = 1; i <= 3; ++i) phone.append("INBOX", plain_message(i));
  phone.say("SELECT INBOX");
  EXPECT_THAT(phone.say("COPY 1:2 Trash"), HasSubstr(" 1:2 1:2] Copied"));
  const auto moved = phone.say("UID MOVE 2:3 Trash");
  EXPECT_THAT(moved, StartsWith("* OK [COPYUID "));
  EXPECT_THAT(moved, HasSubstr(" 2:3 3:4] Moved\r\n* 2 EXPUNGE\r\n* 2 EXPUNGE\r\n"));
  EXPECT_THAT(phone.say("COPY 1 Nowhere"), HasSubstr("NO [TRYCREATE]"));
  EXPECT_THAT(phone.say("STATUS Trash (MESSAGES UIDNEXT UNSEEN SIZE)"),
              HasSubstr("* STATUS \"Trash\" (MESSAGES 4 UIDNEXT 5 UNSEEN 4"));
}

TEST(ImapSession, UidExpungeTakesOnlyThose) {
  ImapWorld world;
  ImapDevice phone(world, "alice");
  for (int i = 1; i <= 3; ++i) phone.append("INBOX", plain_message(i), "(\\Deleted) ");
  phone.say("SELECT INBOX");
  EXPECT_THAT(phone.say("UID EXPUNGE 2"), StartsWith("* 2 EXPUNGE\r\na6 OK"));
  EXPECT_THAT(phone.say("CLOSE"), HasSubstr("OK"));
  EXPECT_THAT(phone.say("STATUS INBOX (MESSAGES)"), HasSubstr("(MESSAGES 0)"));
  EXPECT_EQ(phone.status("STATUS INBOX ()"), "BAD");
}

TEST(ImapSession, FullMailboxIsRefusedBeforeTheLiteral) {
  ImapWorld world;
  ImapDevice phone(world, "bob");
  EXPECT_THAT(phone.say("GETQUOTAROOT INBOX"),
              HasSubstr("* QUOTAROOT \"INBOX\" \"bob\"\r\n* QUOTA \"bob\" (STORAGE 0 64 MESSAGE 0 1000000)\r\n"));
  EXPECT_EQ(phone.say("APPEND INBOX {65537}"), "a3 NO [OVERQUOTA] The mailbox is full\r\n");
  EXPECT_EQ(phone.status("NOOP"), "OK");
  const std::string big(65000, 'x');
  phone.append("INBOX", "Subject: big\r\n\r\n" + big + "\r\n");
  const auto more = plain_message(1);
  EXPECT_EQ(phone.say("APPEND INBOX {" + std::to_string(more.size()) + "+}\r\n" + more),
            "a6 NO [OVERQUOTA] The mailbox is full\r\n")
      << "a literal that comes unasked is read and dropped";
  phone.say("SELECT INBOX");
  EXPECT_THAT(phone.say("COPY 1 Sent"), HasSubstr("NO [OVERQUOTA]"));
  EXPECT_EQ(phone.status("MOVE 1 Trash"), "OK");
}

}  // namespace
}  // namespace mailproof::server
