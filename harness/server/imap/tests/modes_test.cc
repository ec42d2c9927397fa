#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/imap/tests/rig.h"

namespace mailproof::server {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Sessions that ENABLE has changed.
class ImapModes : public testing::Test {
 protected:
  ImapModes() {
    for (int i = 1; i <= 3; ++i) phone_.append("INBOX", plain_message(i));
    phone_.say("SELECT INBOX");
    phone_.say("UID STORE 1 +FLAGS (\\Deleted)");
    phone_.say("EXPUNGE");
    phone_.say("UNSELECT");
  }
  ImapWorld world_;
  ImapDevice phone_{world_, "alice"};
};

TEST_F(ImapModes, UidOnlyKnowsNoMessageNumbers) {
  EXPECT_THAT(phone_.say("ENABLE UIDONLY"), StartsWith("* ENABLED UIDONLY\r\n"));
  EXPECT_THAT(phone_.say("SELECT INBOX"), Not(HasSubstr("[UNSEEN")));
  for (const auto* command : {"FETCH 1 (FLAGS)", "STORE 1 +FLAGS (\\Seen)", "SEARCH ALL", "COPY 1 Sent", "MOVE 1 Sent",
                              "UID SEARCH 1:2", "UID SEARCH NOT 1"})
    EXPECT_THAT(phone_.say(command), HasSubstr("BAD [UIDREQUIRED]")) << command;
  EXPECT_THAT(phone_.say("UID FETCH 2 (FLAGS)"), StartsWith("* 2 UIDFETCH (UID 2 FLAGS ())\r\n"));
  EXPECT_THAT(phone_.say("UID STORE 3 +FLAGS (\\Deleted)"), StartsWith("* 3 UIDFETCH ("));
  EXPECT_THAT(phone_.say("EXPUNGE"), StartsWith("* VANISHED 3\r\n"));
  EXPECT_THAT(phone_.say("UID SEARCH UID 1:*"), StartsWith("* SEARCH 2\r\n"));
}

TEST_F(ImapModes, Rev2HasNoRecentAndNoSearchResponse) {
  ImapDevice desk(world_, "alice");
  EXPECT_THAT(desk.say("ENABLE IMAP4rev2"), StartsWith("* ENABLED IMAP4rev2\r\n"));
  const auto selected = desk.say("SELECT INBOX");
  EXPECT_THAT(selected, HasSubstr("* LIST (\\HasNoChildren) \"/\" \"INBOX\"\r\n"));
  EXPECT_THAT(selected, Not(HasSubstr("RECENT")));
  EXPECT_THAT(selected, Not(HasSubstr("[UNSEEN")));
  EXPECT_THAT(desk.say("FETCH 1:* (FLAGS)"), Not(HasSubstr("\\Recent")));
  EXPECT_THAT(desk.say("SEARCH ALL"), StartsWith("* ESEARCH (TAG \"a5\") ALL 1:2\r\n"));
  EXPECT_THAT(desk.say("SEARCH TEXT zzz"), StartsWith("* ESEARCH (TAG \"a6\")\r\n"));
  EXPECT_THAT(desk.say("SELECT Sent"), StartsWith("* OK [CLOSED]"));
}

TEST_F(ImapModes, Rev2NamesAreUtf8) {
  ImapDevice desk(world_, "alice");
  desk.say("CREATE A&AOk-");
  EXPECT_THAT(desk.say("LIST \"\" A*"), HasSubstr("\"A&AOk-\""));
  desk.say("ENABLE IMAP4rev2");
  EXPECT_THAT(desk.say("LIST \"\" A*"), HasSubstr("\"A\xc3\xa9\""));
  EXPECT_EQ(desk.status("CREATE \"\xc3\xa9 & more\""), "OK");
  EXPECT_THAT(desk.say("LIST \"\" \"\xc3\xa9 & *\""), HasSubstr("\"\xc3\xa9 & more\""));
  EXPECT_EQ(desk.status("CREATE {2+}\r\n\xc0\xaf"), "BAD");
  EXPECT_EQ(desk.status("CREATE \"\xff\""), "BAD");
  EXPECT_THAT(phone_.say("LIST \"\" &*"), HasSubstr("\"&AOk- &- more\"")) << "others see modified UTF-7";
}

TEST_F(ImapModes, PiecesOfAParameterArePutTogether) {
  phone_.append("INBOX",
                "Content-Type: text/plain; name*0*=utf-8''%C3%A9; name*1=\".txt\"\r\n"
                "Content-Disposition: attachment; filename*0=\"a long \"; filename*1=\"name.txt\"\r\n\r\nx\r\n");
  phone_.say("SELECT INBOX");
  const auto answer = phone_.say("FETCH 3 (BODYSTRUCTURE)");
  EXPECT_THAT(answer, HasSubstr("(\"FILENAME\" \"a long name.txt\")"));
  EXPECT_THAT(answer, HasSubstr("(\"NAME\" {6}\r\n\xc3\xa9.txt)"));
}

TEST_F(ImapModes, LongSearchesTellTheirProgress) {
  for (int i = 0; i < 600; ++i) phone_.say("APPEND Sent {12+}\r\nSubject: x\r\n");
  phone_.say("SELECT Sent");
  EXPECT_THAT(phone_.say("SEARCH TEXT zzz"), StartsWith("* OK [INPROGRESS (\"a610\" 500 600)] "));
  EXPECT_THAT(phone_.say("UID COPY 1:10 INBOX"), Not(HasSubstr("INPROGRESS")));
}

TEST_F(ImapModes, TheMessagesAreCountedAgainstTheirLimit) {
  EXPECT_THAT(phone_.say("GETQUOTA alice"), StartsWith("* QUOTA \"alice\" (MESSAGE 2 1000000)\r\n"));
  EXPECT_THAT(phone_.say("CAPABILITY"), HasSubstr(" QUOTA=RES-MESSAGE "));
}

}  // namespace
}  // namespace mailproof::server
