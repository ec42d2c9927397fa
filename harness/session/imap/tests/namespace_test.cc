#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "session/imap/tests/dialogue.h"

// RFC 2342: people's names of mailboxes, and what the server calls them.

namespace mailproof::session {
namespace {

using tests::ImapDialogue;

ClientConfig people() {
  ClientConfig config = ImapDialogue::plain();
  config.people_names = true;
  return config;
}

/// Logged in, with what the server says of its namespaces.
struct Named : ImapDialogue {
  explicit Named(const std::string& answer, std::size_t piece = 0) : ImapDialogue(people(), piece) {
    open();
    server("* OK [CAPABILITY IMAP4rev1] ready\r\n");
    says("a1 LOGIN user0001 \"***\"\r\n");
    server("a1 OK [CAPABILITY IMAP4rev1 NAMESPACE] in\r\n");
    says("a2 NAMESPACE\r\n");
    tells({"greeting ready"});
    server(answer);
    tells({"ready"});
  }
};

class ImapNamespace : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Pieces, ImapNamespace, testing::Values(0, 1, 3));

TEST_P(ImapNamespace, APrefixAndAnotherSeparatorAreNotSeen) {
  Named d("* NAMESPACE ((\"INBOX.\" \".\")) NIL ((\"#shared.\" \".\"))\r\na2 OK done\r\n", GetParam());
  d.client.select("INBOX", false);
  d.says("a3 SELECT INBOX\r\n");
  d.server("* 0 EXISTS\r\na3 OK [READ-WRITE] done\r\n");
  d.client.create("Archive/2027");
  d.says("a4 CREATE INBOX.Archive.2027\r\n");
  d.server("a4 OK done\r\n");
  d.client.rename("Archive/2027", "inbox/Old");
  d.says("a5 RENAME INBOX.Archive.2027 inbox.Old\r\n");
  d.server("a5 OK done\r\n");
  d.client.select("Archive", true);
  d.says("a6 EXAMINE INBOX.Archive\r\n");
  d.server("* 0 EXISTS\r\na6 OK done\r\n");
  EXPECT_EQ(d.client.view().mailbox, "Archive") << "as people call it";
}

TEST_P(ImapNamespace, TheSeparatorIsToldAsPeopleWriteIt) {
  Named d("* NAMESPACE ((\"INBOX.\" \".\")) NIL ((\"#shared.\" \".\"))\r\na2 OK done\r\n", GetParam());
  d.client.list("", "*");
  d.says("a3 LIST \"\" *\r\n");
  d.server("* LIST () \".\" INBOX.A.B\r\n* LIST () \".\" #shared.C.D\r\na3 OK done\r\n");
  EXPECT_THAT(d.sink.events, testing::Contains("list A/B /"));
  EXPECT_THAT(d.sink.events, testing::Contains("list /#shared.C.D ."));
}

// RFC 9051 appendix E, 2: it is in IMAP4rev2, whether it is listed or not.
TEST(ImapFoldedIn, WhatIMAP4rev2HasInItNeedsNoNameOfItsOwn) {
  for (const bool both : {false, true}) {
    ImapDialogue d(people(), 0);
    d.open();
    d.server(both ? "* OK [CAPABILITY IMAP4rev1 IMAP4rev2] ready\r\n" : "* OK [CAPABILITY IMAP4rev2] ready\r\n");
    d.says("a1 LOGIN user0001 \"***\"\r\n");
    d.server(both ? "a1 OK [CAPABILITY IMAP4rev1 IMAP4rev2] in\r\n" : "a1 OK [CAPABILITY IMAP4rev2] in\r\n");
    d.says(both ? "" : "a2 NAMESPACE\r\n");
    for (const char* one : {"IDLE", "MOVE", "UIDPLUS", "ENABLE", "move"}) EXPECT_EQ(d.client.has(one), !both) << one;
    for (const char* one : {"QUOTA", "CONDSTORE", "LITERAL+"}) EXPECT_FALSE(d.client.has(one)) << one;
  }
}

TEST_P(ImapNamespace, ListsAreToldAsPeopleCallThem) {
  Named d("* NAMESPACE ((\"INBOX.\" \".\")) NIL NIL\r\na2 OK done\r\n", GetParam());
  d.client.list("", "*");
  d.says("a3 LIST \"\" *\r\n");
  d.server("* LIST () \".\" INBOX\r\n* LIST () \".\" INBOX.Entw&APw-rfe.2027\r\na3 OK done\r\n");
  const auto& events = d.sink.events;
  EXPECT_THAT(events, testing::Contains(testing::HasSubstr("Entwürfe/2027")));
  EXPECT_THAT(events, testing::Not(testing::Contains(testing::HasSubstr("INBOX.Entw"))));
}

TEST_P(ImapNamespace, InboxIsOneMailboxInAnyCase) {
  Named d("* NAMESPACE ((\"\" \"/\")) NIL NIL\r\na2 OK done\r\n", GetParam());
  d.client.list("", "*");
  d.says("a3 LIST \"\" *\r\n");
  d.server("* LIST () \"/\" Inbox\r\n* LIST () \"/\" Inboxes\r\na3 OK done\r\n");
  EXPECT_THAT(d.sink.events, testing::Contains(testing::HasSubstr(" INBOX")));
  EXPECT_THAT(d.sink.events, testing::Not(testing::Contains(testing::EndsWith(" Inbox"))));
  EXPECT_THAT(d.sink.events, testing::Contains(testing::HasSubstr(" Inboxes")));
}

TEST_P(ImapNamespace, WhatIsSharedIsNotTakenForOnesOwn) {
  for (const std::string own : {"INBOX/", ""}) {
    Named d("* NAMESPACE ((\"" + own + "\" \"/\")) ((\"shared/\" \"/\")) ((\"Public/\" \"/\"))\r\na2 OK done\r\n",
            GetParam());
    d.client.list("", "*");
    d.says("a3 LIST \"\" *\r\n");
    d.server("* LIST () \"/\" Public\r\n* LIST () \"/\" shared/ann\r\n* LIST () \"/\" " + own +
             "Publican\r\na3 OK done\r\n");
    for (const char* name : {" /Public", " /shared/ann", " Publican"})
      EXPECT_THAT(d.sink.events, testing::Contains(testing::HasSubstr(name)));
    d.client.select("/Public", true);
    d.says("a4 EXAMINE Public\r\n");
    d.server("* 0 EXISTS\r\na4 OK done\r\n");
    d.client.create("Public");
    d.says("a5 CREATE " + own + "Public\r\n");
  }
}

TEST_P(ImapNamespace, OnesOwnMayStandAmongThoseOfOthers) {
  Named d("* NAMESPACE ((\"user.ann.\" \".\")) ((\"user.\" \".\")) NIL\r\na2 OK done\r\n", GetParam());
  d.client.list("", "*");
  d.says("a3 LIST \"\" *\r\n");
  d.server("* LIST () \".\" user.ann.Sent\r\n* LIST () \".\" user.bob\r\na3 OK done\r\n");
  EXPECT_THAT(d.sink.events, testing::Contains(testing::HasSubstr(" Sent")));
  EXPECT_THAT(d.sink.events, testing::Contains(testing::HasSubstr(" /user.bob")));
}

TEST_P(ImapNamespace, WithoutAPrefixOnlyTheSeparatorDiffers) {
  Named d("* NAMESPACE ((\"\" \".\")) NIL NIL\r\na2 OK done\r\n", GetParam());
  d.client.create("Archive/2027");
  d.says("a3 CREATE Archive.2027\r\n");
}

TEST_P(ImapNamespace, TheUsualOneChangesNothing) {
  Named d("* NAMESPACE ((\"\" \"/\")) NIL NIL\r\na2 OK done\r\n", GetParam());
  d.client.create("Archive.old/2027");
  d.says("a3 CREATE Archive.old/2027\r\n");
}

TEST_P(ImapNamespace, ARefusalLeavesNamesAsTheyAre) {
  Named d("a2 NO not now\r\n", GetParam());
  d.client.create("Archive/2027");
  d.says("a3 CREATE Archive/2027\r\n");
}

TEST(ImapNamespaceUnasked, NobodyAsksWhereItIsNotOffered) {
  ImapDialogue d(people());
  d.open();
  d.server("* OK [CAPABILITY IMAP4rev1] ready\r\n");
  d.says("a1 LOGIN user0001 \"***\"\r\n");
  d.server("a1 OK [CAPABILITY IMAP4rev1] in\r\n");
  d.tells({"greeting ready", "ready"});
}

}  // namespace
}  // namespace mailproof::session
