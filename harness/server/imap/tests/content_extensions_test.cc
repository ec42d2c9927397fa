#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/imap/tests/rig.h"

namespace mailproof::server {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class ContentExtensions : public testing::Test {
 protected:
  ContentExtensions() : phone_(world_, "alice") {
    phone_.append("INBOX", rich_message());
    phone_.append("INBOX", plain_message(1));
    phone_.say("SELECT INBOX");
  }
  ImapWorld world_;
  ImapDevice phone_;
};

TEST_F(ContentExtensions, PartsComeWithoutTheirEncoding) {
  EXPECT_THAT(phone_.say("FETCH 1 (BINARY.PEEK[2] BINARY.SIZE[2])"),
              StartsWith("* 1 FETCH (BINARY[2] {9}\r\n%PDF-1.4\n BINARY.SIZE[2] 9)\r\n"));
  EXPECT_THAT(phone_.say("FETCH 1 (BINARY.PEEK[2]<1.3>)"), StartsWith("* 1 FETCH (BINARY[2]<1> {3}\r\nPDF)\r\n"));
  EXPECT_THAT(phone_.say("FETCH 1 (BINARY.PEEK[1.2])"), HasSubstr("<p>Plain words.</p>"));
  EXPECT_THAT(phone_.say("FETCH 1 (BINARY.PEEK[9])"), HasSubstr("BINARY[9] NIL"));
  EXPECT_THAT(phone_.say("FETCH 1 (FLAGS)"), Not(HasSubstr("\\Seen")));
  phone_.say("FETCH 1 (BINARY[2])");
  EXPECT_THAT(phone_.say("FETCH 1 (FLAGS)"), HasSubstr("\\Seen"));
  EXPECT_EQ(phone_.status("FETCH 1 (BINARY[TEXT])"), "BAD");
  EXPECT_EQ(phone_.status("FETCH 1 BINARY"), "BAD");
}

TEST_F(ContentExtensions, AnUnknownEncodingIsNo) {
  phone_.append("INBOX",
                "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: "
                "x-foo\r\n\r\n??\r\n--b--\r\n");
  phone_.say("NOOP");
  EXPECT_THAT(phone_.say("FETCH 1:3 (BINARY.PEEK[1])"), StartsWith("a7 NO [UNKNOWN-CTE]"));
  EXPECT_THAT(phone_.say("FETCH 3 (BINARY.SIZE[1])"), HasSubstr("NO [UNKNOWN-CTE]"));
}

TEST_F(ContentExtensions, NulComesAndGoesInLiteral8) {
  const std::string message("Content-Transfer-Encoding: binary\r\n\r\n\0\x01", 39);
  EXPECT_THAT(phone_.say(fmt::format("APPEND INBOX ~{{{}}}", message.size())), StartsWith("+"));
  phone_.send(message + "\r\n");
  EXPECT_THAT(phone_.take(), HasSubstr(" OK "));
  EXPECT_THAT(phone_.say("FETCH 3 (BINARY.PEEK[1])"), HasSubstr(std::string("BINARY[1] ~{2}\r\n\0\x01)", 19)));
  EXPECT_THAT(phone_.append("INBOX", std::string("a: b\r\n\r\n\0", 9)), HasSubstr("BAD")) << "in a literal it may not";
}

TEST_F(ContentExtensions, APreviewIsTextToRead) {
  EXPECT_THAT(phone_.say("FETCH 1 (PREVIEW)"), StartsWith("* 1 FETCH (PREVIEW \"Plain words.\")\r\n"));
  EXPECT_THAT(phone_.say("FETCH 2 (PREVIEW (LAZY) UID)"),
              AllOf(HasSubstr("Gr\xc3\xbc\xc3\x9f Gott, ..part 1"), HasSubstr(" UID 2)")));
  EXPECT_EQ(phone_.status("FETCH 2 (PREVIEW (LAZY SOON))"), "BAD");
  phone_.append("INBOX",
                "Content-Type: text/html\r\n\r\n<html><head><title>no</title></head><style>p{}</style><p>a &lt;b&gt; "
                "<!-- > -->c</p></html>\r\n");
  phone_.append("INBOX", "Content-Type: image/png\r\n\r\nxx\r\n");
  phone_.append("INBOX", "\r\n" + std::string(1000, 'w') + "\r\n");
  phone_.say("NOOP");
  EXPECT_THAT(phone_.say("FETCH 3 (PREVIEW)"), StartsWith("* 3 FETCH (PREVIEW \"a <b> c\")\r\n"));
  EXPECT_THAT(phone_.say("FETCH 4 (PREVIEW)"), StartsWith("* 4 FETCH (PREVIEW \"\")\r\n"));
  EXPECT_THAT(phone_.say("FETCH 5 (PREVIEW)"), StartsWith("* 5 FETCH (PREVIEW \"" + std::string(200, 'w') + "\")\r\n"));
}

TEST_F(ContentExtensions, AMessageIsPutTogether) {
  phone_.say("APPEND INBOX CATENATE (TEXT {14}");
  phone_.send(
      "Subject: x\r\n\r\n URL \"/INBOX/;UID=1/;SECTION=1.1\" URL \"/;UID=2/;SECTION=HEADER.FIELDS%20(SUBJECT)\")\r\n");
  EXPECT_THAT(phone_.take(), HasSubstr(" OK [APPENDUID "));
  EXPECT_THAT(phone_.say("FETCH 3 (BODY.PEEK[])"),
              HasSubstr("Subject: x\r\n\r\nPlain words.Subject: Quarterly figures, part 1\r\n\r\n)"));
  EXPECT_THAT(phone_.say("APPEND INBOX CATENATE (URL \"/INBOX/;UID=77\")"),
              HasSubstr("NO [BADURL \"/INBOX/;UID=77\"]"));
  for (const auto* bad : {"/Nowhere/;UID=1", "/INBOX;UIDVALIDITY=1/;UID=1", "/INBOX/;UID=1/;SECTION=7", "imap://x/"})
    EXPECT_THAT(phone_.say(fmt::format("APPEND INBOX CATENATE (URL \"{}\")", bad)), HasSubstr("NO [BADURL")) << bad;
  EXPECT_EQ(phone_.status("APPEND INBOX CATENATE ()"), "BAD");
  EXPECT_EQ(phone_.status("APPEND INBOX CATENATE (FILE x)"), "BAD");
}

class Notified : public testing::Test {
 protected:
  Notified() : phone_(world_, "alice"), desk_(world_, "alice") { desk_.say("CREATE Work"); }
  ImapWorld world_;
  ImapDevice phone_;
  ImapDevice desk_;
};

TEST_F(Notified, OfOtherMailboxesByStatus) {
  EXPECT_THAT(
      phone_.say("NOTIFY SET STATUS (mailboxes Work (MessageNew MessageExpunge FlagChange))"),
      AllOf(StartsWith("* STATUS \"Work\" (MESSAGES 0 UIDNEXT 1 UIDVALIDITY "), HasSubstr(" HIGHESTMODSEQ 1)")));
  phone_.woken();
  desk_.append("Work", plain_message(1));
  EXPECT_TRUE(phone_.woken());
  EXPECT_EQ(phone_.take(), "* STATUS \"Work\" (MESSAGES 1 UIDNEXT 2)\r\n");
  desk_.say("SELECT Work");
  desk_.say("STORE 1 +FLAGS (\\Deleted)");
  EXPECT_THAT(phone_.take(), AllOf(StartsWith("* STATUS \"Work\" (UIDVALIDITY "), HasSubstr(" HIGHESTMODSEQ 3)")));
  desk_.say("EXPUNGE");
  EXPECT_EQ(phone_.take(), "* STATUS \"Work\" (MESSAGES 0 UIDNEXT 2)\r\n");
  desk_.append("INBOX", plain_message(2));
  EXPECT_EQ(phone_.take(), "") << "nobody asked";
  EXPECT_EQ(phone_.status("NOTIFY NONE"), "OK");
  desk_.append("Work", plain_message(3));
  EXPECT_EQ(phone_.take(), "");
}

TEST_F(Notified, OfNamesAndSubscriptions) {
  phone_.say("NOTIFY SET (personal (MailboxName SubscriptionChange))");
  desk_.say("CREATE New");
  EXPECT_EQ(phone_.take(), "* LIST () \"/\" \"New\"\r\n");
  desk_.say("RENAME New Newer");
  EXPECT_EQ(phone_.take(), "* LIST () \"/\" \"Newer\" (\"OLDNAME\" (\"New\"))\r\n");
  desk_.say("SUBSCRIBE Newer");
  EXPECT_EQ(phone_.take(), "* LIST (\\Subscribed) \"/\" \"Newer\"\r\n");
  desk_.say("DELETE Newer");
  EXPECT_THAT(phone_.take(), HasSubstr("* LIST (\\NonExistent) \"/\" \"Newer\"\r\n"));
}

TEST_F(Notified, OfTheSelectedMailboxAtOnce) {
  phone_.say("SELECT INBOX");
  phone_.say("NOTIFY SET (selected (MessageNew (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)]) MessageExpunge FlagChange))");
  desk_.append("INBOX", plain_message(1));
  EXPECT_THAT(phone_.take(), AllOf(StartsWith("* 1 EXISTS\r\n"), HasSubstr("* 1 FETCH (UID 1 BODY[HEADER.FIELDS"),
                                   HasSubstr("Quarterly figures, part 1")));
  EXPECT_EQ(phone_.say("STORE 1 +FLAGS.SILENT (\\Flagged)"), "a4 OK Done\r\n") << "its own changes as ever";
  desk_.say("SELECT INBOX");
  desk_.say("STORE 1 +FLAGS (\\Deleted)");
  EXPECT_THAT(phone_.take(), StartsWith("* 1 FETCH (FLAGS (\\Flagged \\Deleted"));
  desk_.say("EXPUNGE");
  EXPECT_EQ(phone_.take(), "* 1 EXPUNGE\r\n");
}

TEST_F(Notified, WhatIsNoRequest) {
  EXPECT_THAT(phone_.say("NOTIFY SET (personal (AnnotationChange))"), HasSubstr("NO [BADEVENT (MessageNew "));
  for (const auto* wrong :
       {"NOTIFY", "NOTIFY SET", "NOTIFY SET (personal (MessageNew))", "NOTIFY SET (selected (FlagChange))",
        "NOTIFY SET (selected (MailboxName))", "NOTIFY SET (selected NONE) (selected-delayed NONE)",
        "NOTIFY SET (subtree-one Work NONE)", "NOTIFY SET (personal (MessageNew (UID) MessageExpunge))"})
    EXPECT_EQ(phone_.status(wrong), "BAD") << wrong;
}

}  // namespace
}  // namespace mailproof::server
