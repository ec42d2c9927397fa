#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/imap/tests/rig.h"

namespace mailproof::server {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class ImapFetch : public testing::Test {
 protected:
  ImapFetch() : phone_(world_, "alice") {
    phone_.append("INBOX", plain_message(1));
    phone_.append("INBOX", rich_message());
    phone_.say("SELECT INBOX");
  }
  /// The octets that FETCH 2 (BODY.PEEK[section]) gives, or "NIL".
  std::string section(std::string_view section) {
    const auto answer = phone_.say(fmt::format("FETCH 2 BODY.PEEK[{}]", section));
    if (answer.find("] NIL)") != std::string::npos) return "NIL";
    const auto open = answer.find("] {");
    const auto size = std::stoul(answer.substr(open + 3));
    return answer.substr(answer.find("\r\n", open) + 2, size);
  }
  ImapWorld world_;
  ImapDevice phone_;
};

TEST_F(ImapFetch, EnvelopeOfRealMail) {
  EXPECT_THAT(phone_.say("FETCH 1 ENVELOPE"),
              StartsWith("* 1 FETCH (ENVELOPE (\"Thu, 1 Jan 2026 10:01:00 +0100\" \"Quarterly figures, part 1\" "
                         "((\"Carol \\\"C.\\\" Example\" NIL \"carol\" \"example.test\"))"));
  EXPECT_THAT(
      phone_.say("FETCH 2 ENVELOPE"),
      HasSubstr("((NIL NIL \"team\" NIL)(NIL NIL \"alice\" \"example.test\")(\"Carol\" NIL \"carol\" "
                "\"example.test\")(NIL NIL NIL NIL)) NIL NIL \"<figures.1@example.test>\" \"<rich.1@example.test>\")"));
}

TEST_F(ImapFetch, BodyStructureOfNestedParts) {
  const auto structure = phone_.say("FETCH 2 BODYSTRUCTURE");
  EXPECT_THAT(
      structure,
      StartsWith("* 2 FETCH (BODYSTRUCTURE "
                 "(((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"us-ascii\" \"FORMAT\" \"flowed\") NIL NIL \"7BIT\" 12 0 NIL NIL "
                 "NIL NIL)"
                 "(\"TEXT\" \"HTML\" (\"CHARSET\" \"us-ascii\") NIL NIL \"QUOTED-PRINTABLE\" 21 0 NIL NIL NIL NIL)"
                 " \"ALTERNATIVE\" (\"BOUNDARY\" \"inner\") NIL NIL NIL)"
                 "(\"APPLICATION\" \"PDF\" (\"NAME\" \"report.pdf\") \"<pdf@example.test>\" NIL \"BASE64\" 12 NIL "
                 "(\"attachment\" (\"FILENAME\" \"report.pdf\")) NIL NIL)"));
  EXPECT_THAT(structure, HasSubstr("(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\""));
  EXPECT_THAT(structure, HasSubstr("\"MIXED\" (\"BOUNDARY\" \"=_outer\") NIL NIL NIL))\r\n"));
  EXPECT_THAT(phone_.say("FETCH 1 BODY"),
              StartsWith("* 1 FETCH (BODY (\"TEXT\" \"PLAIN\" (\"CHARSET\" \"utf-8\") NIL NIL \"8BIT\" "));
}

TEST_F(ImapFetch, SectionsByPartNumber) {
  const auto whole = rich_message();
  EXPECT_EQ(section(""), whole);
  EXPECT_EQ(section("HEADER") + section("TEXT"), whole);
  EXPECT_EQ(section("1.1"), "Plain words.");
  EXPECT_EQ(section("1.2.MIME"),
            "Content-Type: text/html; charset=us-ascii\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n");
  EXPECT_EQ(section("2"), "JVBERi0xLjQK");
  EXPECT_THAT(section("3.HEADER"), StartsWith("From: dave@example.test\r\n"));
  EXPECT_EQ(section("3.1"), "Inner text.");
  EXPECT_EQ(section("3.HEADER.FIELDS (subject)"), "Subject: Forwarded\r\n\r\n");
  EXPECT_EQ(section("4"), "NIL");
  EXPECT_EQ(section("2.HEADER"), "NIL");
}

TEST_F(ImapFetch, HeaderFieldsAndPartials) {
  EXPECT_EQ(phone_.say("FETCH 1 BODY.PEEK[HEADER.FIELDS (Subject MIME-Version)]"),
            "* 1 FETCH (BODY[HEADER.FIELDS (Subject MIME-Version)] {57}\r\n"
            "Subject: Quarterly figures, part 1\r\nMIME-Version: 1.0\r\n\r\n)\r\na5 OK Done\r\n");
  const auto rest = phone_.say("FETCH 1 BODY.PEEK[HEADER.FIELDS.NOT (RECEIVED)]");
  EXPECT_THAT(rest, Not(HasSubstr("with ESMTP")));
  EXPECT_THAT(rest, HasSubstr("Return-Path: <carol@example.test>"));
  EXPECT_THAT(phone_.say("FETCH 1 BODY.PEEK[TEXT]<2.4>"), HasSubstr("BODY[TEXT]<2> {4}\r\n\xc3\xbc\xc3\x9f)"));
  EXPECT_THAT(phone_.say("FETCH 1 BODY.PEEK[]<99999.4>"), HasSubstr("BODY[]<99999> {0}\r\n)"));
}

TEST_F(ImapFetch, ImplicitSeenAndMacros) {
  EXPECT_THAT(phone_.say("FETCH 1 RFC822.HEADER"), Not(HasSubstr("Seen")));
  EXPECT_THAT(phone_.say("FETCH 1 RFC822.TEXT"), HasSubstr("FLAGS (\\Seen \\Recent)"));
  EXPECT_THAT(phone_.say("FETCH 1 RFC822"), HasSubstr("RFC822 {"));
  for (const auto* item :
       {"FLAGS (", "INTERNALDATE \" 1-Jan-2026 00:00:00 +0000\"", "RFC822.SIZE ", "ENVELOPE (", "BODY ("}) {
    EXPECT_THAT(phone_.say("FETCH 2 FULL"), HasSubstr(item));
  }
  phone_.say("EXAMINE INBOX");
  EXPECT_THAT(phone_.say("FETCH 2 BODY[]"), Not(HasSubstr("FLAGS"))) << "EXAMINE sets nothing";
}

TEST_F(ImapFetch, MistakesAreBad) {
  for (const auto* command : {"FETCH 3 FLAGS", "FETCH 0 FLAGS", "FETCH 1", "FETCH 1 NONSENSE", "FETCH 1 BODY[NONSENSE]",
                              "FETCH 1 (FLAGS", "FETCH 1 BODY[MIME]", "FETCH 1 FLAGS (CHANGEDSINCE)"}) {
    EXPECT_EQ(phone_.status(command), "BAD") << command;
  }
  EXPECT_EQ(phone_.status("UID FETCH 99 FLAGS"), "OK") << "unknown UIDs are passed over";
}

TEST_F(ImapFetch, AnotherSpellingIsBad) {
  for (const char* command : {" NOOP", "NOOP ", "STATUS  INBOX (MESSAGES)", "STATUS \"a\\b\" (MESSAGES)"})
    EXPECT_EQ(phone_.status(command), "BAD") << command;
  EXPECT_EQ(phone_.status("STATUS \"a\\\\b\" (MESSAGES)"), "NO");
}

TEST_F(ImapFetch, SearchKeys) {
  phone_.say("STORE 1 +FLAGS (\\Seen $Work)");
  phone_.append("INBOX", plain_message(2), "\"05-Feb-2025 23:30:00 -0500\" ");
  phone_.say("NOOP");
  const auto found = [&](std::string_view keys) {
    const auto answer = phone_.say(fmt::format("SEARCH {}", keys));
    return answer.substr(0, answer.find("\r\n"));
  };
  EXPECT_EQ(found("ALL"), "* SEARCH 1 2 3");
  EXPECT_EQ(found("SEEN"), "* SEARCH 1");
  EXPECT_EQ(found("UNSEEN"), "* SEARCH 2 3");
  EXPECT_EQ(found("KEYWORD $work"), "* SEARCH 1");
  EXPECT_EQ(found("UNKEYWORD $Work 2:*"), "* SEARCH 2 3");
  EXPECT_EQ(found("FROM bob"), "* SEARCH 2");
  EXPECT_EQ(found("SUBJECT \"figures, part\""), "* SEARCH 1 3");
  EXPECT_EQ(found("HEADER In-Reply-To \"\""), "* SEARCH 2");
  EXPECT_EQ(found("CHARSET UTF-8 BODY {6+}\r\nGr\xc3\xbc\xc3\x9f"), "* SEARCH 1 3");
  EXPECT_EQ(found("TEXT report.pdf"), "* SEARCH 2");
  EXPECT_EQ(found("ON 5-Feb-2025"), "* SEARCH 3");
  EXPECT_EQ(found("SINCE 1-Jan-2026"), "* SEARCH 1 2");
  EXPECT_EQ(found("SENTON 2-Jan-2026"), "* SEARCH 2");
  EXPECT_EQ(found("SENTBEFORE 2-Jan-2026"), "* SEARCH 1 3");
  EXPECT_EQ(found("OR (SEEN UID 1) NOT TO alice"), "* SEARCH 1");
  EXPECT_EQ(found("LARGER 1000"), "* SEARCH 2");
  EXPECT_EQ(found("SMALLER 10"), "* SEARCH");
  EXPECT_EQ(found("NEW"), "* SEARCH 2 3");
  EXPECT_EQ(found("OLD"), "* SEARCH");
  EXPECT_EQ(found("MODSEQ 4"), "* OK [HIGHESTMODSEQ 5] CONDSTORE is on");
  EXPECT_EQ(found("MODSEQ 4"), "* SEARCH 1 3 (MODSEQ 5)");
  EXPECT_THAT(phone_.say("SEARCH CHARSET KOI8-R ALL"), HasSubstr("NO [BADCHARSET (US-ASCII UTF-8)]"));
  EXPECT_EQ(phone_.status("SEARCH NONSENSE"), "BAD");
  std::string nested = "SEARCH ";
  for (int i = 0; i < 10000; ++i) nested += "NOT ";
  EXPECT_EQ(phone_.status(nested + "ALL"), "BAD");
}

TEST_F(ImapFetch, SearchDecodesWhatIsEncoded) {
  phone_.append(
      "INBOX",
      "Subject: =?UTF-8?B?S8O2bG4=?= =?utf-8?q?er_Dom?= today\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
      "--b\r\nContent-Transfer-Encoding: base64\r\n\r\naGVkZ2Vo\r\nb2c=\r\n"
      "--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nwal=\r\nrus=20=C3=9F =zz\r\n--b--\r\n");
  const auto finds = [&](std::string_view keys) {
    return phone_.say(fmt::format("SEARCH CHARSET UTF-8 {}", keys)).starts_with("* SEARCH 3\r\n");
  };
  phone_.say("NOOP");
  EXPECT_TRUE(finds("SUBJECT \"K\u00f6lner Dom today\"")) << "the blank between two encoded words is none";
  EXPECT_TRUE(finds("BODY hedgehog"));
  EXPECT_TRUE(finds("BODY \"walrus \u00df =zz\""));
  EXPECT_TRUE(finds("TEXT hedgehog"));
  EXPECT_FALSE(finds("BODY aGVkZ2Vo"));
  EXPECT_THAT(phone_.say("FETCH 1 ()"), testing::HasSubstr(" BAD "));
}

TEST_F(ImapFetch, ExtendedSearch) {
  EXPECT_THAT(phone_.say("UID SEARCH RETURN (MIN MAX COUNT) ALL"),
              StartsWith("* ESEARCH (TAG \"a5\") UID MIN 1 MAX 2 COUNT 2\r\n"));
  EXPECT_THAT(phone_.say("SEARCH RETURN () UNSEEN"), StartsWith("* ESEARCH (TAG \"a6\") ALL 1:2\r\n"));
  EXPECT_THAT(phone_.say("SEARCH RETURN (ALL) SEEN"), StartsWith("* ESEARCH (TAG \"a7\")\r\n"));
}

}  // namespace
}  // namespace mailproof::server
