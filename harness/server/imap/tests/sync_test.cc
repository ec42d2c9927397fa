#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/hash.h"
#include "server/imap/tests/rig.h"

namespace mailproof::server {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class ImapSync : public testing::Test {
 protected:
  ImapSync() : phone_(world_, "alice"), desk_(world_, "alice") {
    for (int i = 1; i <= 4; ++i) phone_.append("INBOX", plain_message(i));
    desk_.say("SELECT INBOX");
  }
  std::string uid_validity() {
    const auto answer = desk_.say("STATUS INBOX (UIDVALIDITY)");
    const auto at = answer.find("UIDVALIDITY ") + 12;
    return answer.substr(at, answer.find(')') - at);
  }
  ImapWorld world_;
  ImapDevice phone_;
  ImapDevice desk_;
};

TEST_F(ImapSync, CondstoreRefusesToOverwrite) {
  EXPECT_THAT(desk_.say("FETCH 1 (FLAGS MODSEQ)"), HasSubstr("MODSEQ (2))"));
  phone_.say("SELECT INBOX");
  phone_.say("STORE 1 +FLAGS (\\Flagged)");
  const auto answer = desk_.say("STORE 1:2 (UNCHANGEDSINCE 5) +FLAGS.SILENT (\\Seen)");
  EXPECT_THAT(answer, HasSubstr("* 2 FETCH (UID 2 MODSEQ (7))\r\n"));
  EXPECT_THAT(answer, HasSubstr("OK [MODIFIED 1] Done"));
  EXPECT_THAT(answer, HasSubstr("* 1 FETCH (UID 1 FLAGS (\\Flagged \\Recent) MODSEQ (6))\r\n"));
  const auto since = desk_.say("FETCH 1:* (UID) (CHANGEDSINCE 5)");
  EXPECT_THAT(since, HasSubstr("* 1 FETCH (UID 1 MODSEQ (6))"));
  EXPECT_THAT(since, HasSubstr("* 2 FETCH (UID 2 MODSEQ (7))"));
  EXPECT_THAT(since, Not(HasSubstr("* 3 FETCH")));
}

TEST_F(ImapSync, QresyncTellsWhatHappenedWhileAway) {
  const auto validity = uid_validity();
  desk_.say("STORE 2,4 +FLAGS.SILENT (\\Deleted)");
  desk_.say("EXPUNGE");
  desk_.say("STORE 1 +FLAGS.SILENT (\\Answered)");
  EXPECT_THAT(phone_.say("SELECT INBOX (QRESYNC (" + validity + " 5))"), HasSubstr("BAD")) << "not before ENABLE";
  EXPECT_THAT(phone_.say("ENABLE QRESYNC X-OTHER"), StartsWith("* ENABLED QRESYNC\r\n"));
  const auto answer = phone_.say("SELECT INBOX (QRESYNC (" + validity + " 5 1:4))");
  EXPECT_THAT(answer, HasSubstr("* VANISHED (EARLIER) 2,4\r\n"));
  EXPECT_THAT(answer, HasSubstr("* 1 FETCH (UID 1 FLAGS (\\Answered) MODSEQ ("));
  EXPECT_THAT(answer, Not(HasSubstr("* 2 FETCH")));
  EXPECT_THAT(phone_.say("SELECT INBOX (QRESYNC (7 5))"), Not(HasSubstr("VANISHED"))) << "another UIDVALIDITY";
  EXPECT_THAT(phone_.say("UID FETCH 1:* (FLAGS) (CHANGEDSINCE 5 VANISHED)"), HasSubstr("* VANISHED (EARLIER) 2,4\r\n"));
  desk_.say("STORE 1 +FLAGS.SILENT (\\Deleted)");
  desk_.say("EXPUNGE");
  EXPECT_THAT(phone_.say("NOOP"), StartsWith("* VANISHED 1\r\n"));
  phone_.say("STORE 1 +FLAGS.SILENT (\\Deleted)");
  EXPECT_THAT(phone_.say("EXPUNGE"), testing::AllOf(StartsWith("* VANISHED 3\r\n"), HasSubstr("OK [HIGHESTMODSEQ ")));
  EXPECT_THAT(phone_.say("SELECT INBOX"), StartsWith("* OK [CLOSED]"));
  EXPECT_THAT(phone_.say("CLOSE"), Not(HasSubstr("HIGHESTMODSEQ"))) << "RFC 7162 section 3.2.8";
}

TEST_F(ImapSync, WithCondstoreAFetchThatSetsSeenTellsTheUid) {
  phone_.say("SELECT INBOX (CONDSTORE)");
  EXPECT_THAT(phone_.say("FETCH 2 (BODY[HEADER.FIELDS (X)])"), StartsWith("* 2 FETCH (UID 2 BODY[HEADER.FIELDS (X)]"));
  EXPECT_THAT(phone_.say("SELECT INBOX"), StartsWith("* OK [CLOSED]"))
      << "RFC 7162 section 3.2.11, also without QRESYNC";
}

TEST_F(ImapSync, SilentStoreStillTellsWhatOthersDid) {
  phone_.say("SELECT INBOX");
  phone_.say("STORE 3 +FLAGS (\\Flagged)");
  EXPECT_THAT(desk_.say("STORE 3 +FLAGS.SILENT (\\Seen)"),
              StartsWith("* 3 FETCH (FLAGS (\\Seen \\Flagged \\Recent))\r\n"));
  EXPECT_EQ(desk_.say("STORE 4 +FLAGS.SILENT (\\Seen)"), "a4 OK Done\r\n");
  EXPECT_THAT(desk_.say("STORE 4 FLAGS (\\Draft \\Recent)"), StartsWith("* 4 FETCH (FLAGS (\\Draft \\Recent))\r\n"));
  EXPECT_THAT(desk_.say("STORE 4 -FLAGS \\Draft"), StartsWith("* 4 FETCH (FLAGS (\\Recent))\r\n"));
  EXPECT_EQ(desk_.status("STORE 4 +FLAGS (\\Nonsense)"), "BAD");
}

TEST_F(ImapSync, MailboxesAreListedRenamedAndRemoved) {
  EXPECT_EQ(phone_.status("CREATE Work/2026/Q1"), "OK");
  EXPECT_THAT(phone_.say("CREATE work/"), HasSubstr("OK"));
  EXPECT_THAT(phone_.say("CREATE Work"), HasSubstr("NO [ALREADYEXISTS]"));
  EXPECT_THAT(
      phone_.say("LIST \"\" %"),
      testing::AllOf(HasSubstr("* LIST (\\HasChildren) \"/\" \"Work\"\r\n"),
                     HasSubstr("* LIST (\\HasNoChildren \\Trash) \"/\" \"Trash\"\r\n"), Not(HasSubstr("2026"))));
  EXPECT_THAT(phone_.say("LIST Work/ *"), testing::AllOf(HasSubstr("\"Work/2026/Q1\""), Not(HasSubstr("INBOX"))));
  EXPECT_THAT(phone_.say("LIST \"\" inbox"), HasSubstr("\"INBOX\""));
  EXPECT_THAT(phone_.say("LIST \"\" \"\""), StartsWith("* LIST (\\Noselect) \"/\" \"\"\r\n"));
  EXPECT_EQ(phone_.status("SUBSCRIBE Work/2026/Q1"), "OK");
  EXPECT_THAT(phone_.say("LSUB \"\" \"Work/%\""), HasSubstr("* LSUB (\\Noselect) \"/\" \"Work/2026\"\r\n"));
  EXPECT_EQ(phone_.status("DELETE Work/2026"), "OK");
  EXPECT_THAT(phone_.say("LIST \"\" Work/2026"), HasSubstr("* LIST (\\Noselect \\HasChildren)"));
  EXPECT_THAT(phone_.say("DELETE Work/2026"), HasSubstr("NO [CANNOT]"));
  EXPECT_EQ(phone_.status("RENAME Work Old"), "OK");
  EXPECT_THAT(phone_.say("LIST \"\" Old/*"), HasSubstr("\"Old/2026/Q1\""));
  EXPECT_EQ(phone_.status("RENAME INBOX Saved"), "OK");
  EXPECT_THAT(phone_.say("STATUS Saved (MESSAGES)"), HasSubstr("MESSAGES 4"));
  EXPECT_THAT(desk_.say("NOOP"), testing::AllOf(StartsWith("* 1 EXPUNGE\r\n"), Not(HasSubstr("EXISTS"))));
  desk_.say("SELECT Saved");
  EXPECT_EQ(phone_.status("DELETE Saved"), "OK");
  EXPECT_THAT(desk_.say("NOOP"), StartsWith("* 1 EXPUNGE\r\n")) << "who has it selected sees it emptied";
  EXPECT_THAT(phone_.say("DELETE INBOX"), HasSubstr("NO [CANNOT]"));
  EXPECT_THAT(phone_.say("NAMESPACE"), StartsWith("* NAMESPACE ((\"\" \"/\")) ((\"Other Users/\" \"/\")) NIL\r\n"));
}

TEST_F(ImapSync, LimitsAreNotSetByUsers) {
  EXPECT_THAT(phone_.say("SETQUOTA alice (STORAGE 2)"), HasSubstr("NO [NOPERM]"));
  EXPECT_THAT(phone_.say("SETQUOTA nobody (STORAGE 2)"), HasSubstr("NO [NONEXISTENT]"));
  EXPECT_EQ(phone_.status("SETQUOTA alice STORAGE"), "BAD");
  EXPECT_TRUE(world_.server.set_quota("alice", 2048));
  EXPECT_THAT(phone_.append("INBOX", plain_message(5)), HasSubstr("NO [OVERQUOTA] The mailbox is full"));
  EXPECT_THAT(phone_.say("GETQUOTA alice"), HasSubstr("* QUOTA \"alice\" (STORAGE 3 2 MESSAGE 4 1000000)\r\n"));
  EXPECT_THAT(phone_.say("GETQUOTA nobody"), HasSubstr("NO [NONEXISTENT]"));
}

TEST_F(ImapSync, SmallCommands) {
  EXPECT_THAT(phone_.say("ID (\"name\" \"phone\")"), StartsWith("* ID (\"name\""));
  EXPECT_THAT(phone_.say("CAPABILITY"), testing::AllOf(HasSubstr(" UIDPLUS"), Not(HasSubstr("STARTTLS"))));
  EXPECT_EQ(phone_.status("UNSELECT"), "BAD") << "nothing is selected";
  EXPECT_EQ(desk_.status("CHECK"), "OK");
  EXPECT_EQ(desk_.status("UNSELECT"), "OK");
  EXPECT_EQ(desk_.status("NONSENSE"), "BAD");
  desk_.send("\r\n");
  EXPECT_THAT(desk_.take(), StartsWith("* BAD "));
}

TEST(ImapLogin, SaslMechanisms) {
  ImapWorld world;
  const auto plain = base64(std::string_view("\0alice\0secret", 13));
  ImapDevice first(world);
  first.take();
  EXPECT_THAT(first.say("AUTHENTICATE PLAIN " + plain), HasSubstr("a1 OK"));
  ImapDevice second(world);
  second.take();
  EXPECT_EQ(second.say("AUTHENTICATE LOGIN"), "+ " + base64("Username:") + "\r\n");
  second.send(base64("alice") + "\r\n");
  EXPECT_EQ(second.take(), "+ " + base64("Password:") + "\r\n");
  second.send(base64("wrong") + "\r\n");
  EXPECT_THAT(second.take(), StartsWith("a1 NO [AUTHENTICATIONFAILED]"));
  const auto challenge = second.say("AUTHENTICATE CRAM-MD5");
  const auto text = unbase64(challenge.substr(2, challenge.size() - 4));
  ASSERT_TRUE(text);
  second.send(base64("alice " + hmac_md5_hex("secret", *text)) + "\r\n");
  EXPECT_THAT(second.take(), StartsWith("a2 OK [CAPABILITY "));
  ImapDevice third(world);
  third.take();
  third.say("AUTHENTICATE PLAIN");
  third.send("*\r\n");
  EXPECT_THAT(third.take(), StartsWith("a1 BAD"));
  EXPECT_THAT(third.say("AUTHENTICATE GSSAPI"), HasSubstr("NO [CANNOT]"));
}

TEST(ImapLogin, PasswordsWaitForTls) {
  auto options = ImapWorld::standard_options();
  options.plaintext_login = false;
  ImapWorld world(options);
  ImapDevice phone(world);
  EXPECT_THAT(phone.take(), testing::AllOf(HasSubstr(" STARTTLS LOGINDISABLED"), Not(HasSubstr("AUTH=PLAIN"))));
  EXPECT_THAT(phone.say("LOGIN alice secret"), HasSubstr("NO [PRIVACYREQUIRED]"));
  phone.send("b1 STARTTLS\r\nb2 LOGIN alice secret\r\n");
  EXPECT_THAT(phone.take(), testing::AllOf(StartsWith("b1 OK "), Not(HasSubstr("b2"))));
  EXPECT_EQ(phone.peer().wants(), Wants::start_tls);
  phone.peer().secured({.established = true, .version = "sim", .cipher = "", .error = ""}, world.now);
  EXPECT_EQ(phone.take(), "") << "what came behind STARTTLS is never answered";
  EXPECT_THAT(phone.say("CAPABILITY"), testing::AllOf(HasSubstr("AUTH=PLAIN"), Not(HasSubstr("STARTTLS"))));
  EXPECT_EQ(phone.status("LOGIN alice secret"), "OK");
}

TEST(ImapLogin, SilenceEndsAfterThirtyMinutes) {
  ImapWorld world;
  ImapDevice phone(world, "alice");
  ASSERT_EQ(phone.peer().deadline(), world.now + std::chrono::minutes(30));
  world.now += std::chrono::minutes(29);
  phone.peer().advance(world.now);
  EXPECT_EQ(phone.peer().wants(), Wants::nothing);
  world.now += std::chrono::minutes(1);
  phone.peer().advance(world.now);
  EXPECT_THAT(phone.take(), StartsWith("* BYE Autologout"));
  EXPECT_EQ(phone.peer().wants(), Wants::close);
}

}  // namespace
}  // namespace mailproof::server
