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

class SearchExtensions : public testing::Test {
 protected:
  SearchExtensions() : phone_(world_, "alice") {
    add("Re: beta", "Mon, 2 Mar 2026 10:00:00 +0000", "Zoe <charlie@example.test>", "", "02-Feb-2026 10:00:00 +0000");
    add("alpha", "Sun, 1 Mar 2026 10:00:00 +0000", "Ann <delta@example.test>", "<a@x.test>",
        "01-Feb-2026 10:00:00 +0000");
    add("Re: alpha", "Tue, 3 Mar 2026 10:00:00 +0000", "bob@example.test", "<b@x.test>", "03-Feb-2026 10:00:00 +0000",
        "<a@x.test>");
    phone_.say("SELECT INBOX");
  }
  void add(std::string_view subject, std::string_view date, std::string_view from, std::string_view id,
           std::string_view arrived, std::string_view references = "") {
    auto text = fmt::format("From: {}\r\nTo: alice@example.test\r\nSubject: {}\r\nDate: {}\r\n", from, subject, date);
    if (!id.empty()) text += fmt::format("Message-ID: {}\r\n", id);
    if (!references.empty()) text += fmt::format("References: {}\r\n", references);
    phone_.append("INBOX", text + "\r\ntext\r\n", fmt::format("\"{}\" ", arrived));
  }
  ImapWorld world_;
  ImapDevice phone_;
};

TEST_F(SearchExtensions, SortByKeysAndTheirReverse) {
  EXPECT_THAT(phone_.say("SORT (SUBJECT DATE) UTF-8 ALL"), StartsWith("* SORT 2 3 1\r\n"));
  EXPECT_THAT(phone_.say("SORT (REVERSE ARRIVAL) UTF-8 ALL"), StartsWith("* SORT 3 1 2\r\n"));
  EXPECT_THAT(phone_.say("SORT (DISPLAYFROM) US-ASCII ALL"), StartsWith("* SORT 2 3 1\r\n"));
  EXPECT_THAT(phone_.say("SORT (FROM) US-ASCII ALL"), StartsWith("* SORT 3 1 2\r\n"));
  EXPECT_THAT(phone_.say("UID SORT (DATE) UTF-8 SUBJECT alpha"), StartsWith("* SORT 2 3\r\n"));
  EXPECT_THAT(phone_.say("SORT (DATE) UTF-8 DELETED"), StartsWith("* SORT\r\n"));
  EXPECT_THAT(phone_.say("SORT (DATE) KOI8-R ALL"), HasSubstr("NO [BADCHARSET"));
  for (const auto* wrong : {"SORT (DATE) ALL", "SORT () UTF-8 ALL", "SORT (REVERSE) UTF-8 ALL",
                            "SORT (WEIGHT) UTF-8 ALL", "SORT DATE UTF-8 ALL", "SORT (DATE) UTF-8"})
    EXPECT_EQ(phone_.status(wrong), "BAD") << wrong;
}

TEST_F(SearchExtensions, EsortTellsTheOrderAndWindowsOfIt) {
  EXPECT_THAT(phone_.say("SORT RETURN (ALL COUNT) (REVERSE ARRIVAL) UTF-8 ALL"), HasSubstr(" ALL 3,1:2 COUNT 3\r\n"));
  EXPECT_THAT(phone_.say("SORT RETURN (MIN MAX) (SUBJECT) UTF-8 ALL"), HasSubstr(" MIN 2 MAX 1\r\n"));
  EXPECT_THAT(phone_.say("SORT RETURN (PARTIAL 2:9) (SUBJECT) UTF-8 ALL"), HasSubstr(" PARTIAL (2:9 3,1)\r\n"));
}

TEST_F(SearchExtensions, PartialCountsFromBothEnds) {
  EXPECT_THAT(phone_.say("SEARCH RETURN (PARTIAL 2:3) ALL"), HasSubstr(" PARTIAL (2:3 2:3)\r\n"));
  EXPECT_THAT(phone_.say("SEARCH RETURN (PARTIAL -1:-2 COUNT) ALL"), HasSubstr(" COUNT 3 PARTIAL (-1:-2 2:3)\r\n"));
  EXPECT_THAT(phone_.say("SEARCH RETURN (PARTIAL 4:9) ALL"), HasSubstr(" PARTIAL (4:9 NIL)\r\n"));
  EXPECT_THAT(phone_.say("UID FETCH 1:* (UID) (PARTIAL -1:-1)"),
              AllOf(HasSubstr("* 3 FETCH"), Not(HasSubstr("* 1 FETCH"))));
  for (const auto* wrong :
       {"SEARCH RETURN (PARTIAL 1:2 ALL) ALL", "SEARCH RETURN (PARTIAL 1:2 PARTIAL 3:4) ALL",
        "SEARCH RETURN (PARTIAL -1:2) ALL", "SEARCH RETURN (PARTIAL 0:2) ALL", "FETCH 1:3 (UID) (PARTIAL 1:1)"})
    EXPECT_EQ(phone_.status(wrong), "BAD") << wrong;
}

TEST_F(SearchExtensions, ThreadsBySubjectAndByReferences) {
  EXPECT_THAT(phone_.say("THREAD ORDEREDSUBJECT UTF-8 ALL"), StartsWith("* THREAD (2 3)(1)\r\n"));
  EXPECT_THAT(phone_.say("THREAD REFERENCES UTF-8 ALL"), StartsWith("* THREAD (2 3)(1)\r\n"));
  EXPECT_THAT(phone_.say("THREAD REFERENCES UTF-8 DELETED"), StartsWith("* THREAD\r\n"));
  EXPECT_THAT(phone_.say("THREAD REFERENCES KOI8-R ALL"), HasSubstr("NO [BADCHARSET"));
  EXPECT_EQ(phone_.status("THREAD REFS UTF-8 ALL"), "BAD");
  EXPECT_EQ(phone_.status("THREAD REFERENCES ALL"), "BAD");
}

TEST_F(SearchExtensions, AThreadWhoseRootIsMissingStaysTogether) {
  add("one", "Wed, 4 Mar 2026 10:00:00 +0000", "a@example.test", "<c@x.test>", "04-Feb-2026 10:00:00 +0000",
      "<gone@x>");
  add("two", "Thu, 5 Mar 2026 10:00:00 +0000", "a@example.test", "<d@x.test>", "05-Feb-2026 10:00:00 +0000",
      "<\"gone\"@x>");
  phone_.say("NOOP");
  EXPECT_THAT(phone_.say("THREAD REFERENCES UTF-8 ALL"), StartsWith("* THREAD (2 3)(1)((4)(5))\r\n"))
      << "quoting is no difference";
}

TEST_F(SearchExtensions, WhatASearchFoundIsKeptAndFollowsExpunges) {
  EXPECT_EQ(phone_.say("SEARCH RETURN (SAVE) 1,3").find("ESEARCH"), std::string::npos);
  EXPECT_THAT(phone_.say("SEARCH NOT $"), StartsWith("* SEARCH 2\r\n"));
  EXPECT_EQ(phone_.status("SEARCH RETURN (SAVE) NONSENSE"), "BAD");
  EXPECT_THAT(phone_.say("FETCH $ (UID)"), AllOf(HasSubstr("* 1 FETCH"), HasSubstr("* 3 FETCH"))) << "BAD keeps it";
  phone_.say("STORE 1 +FLAGS.SILENT (\\Deleted)");
  phone_.say("EXPUNGE");
  EXPECT_THAT(phone_.say("FETCH $ (UID)"), StartsWith("* 2 FETCH (UID 3)\r\n"));
  EXPECT_THAT(phone_.say("SEARCH RETURN (SAVE MIN COUNT) ALL"), HasSubstr(" MIN 1 COUNT 2\r\n"));
  EXPECT_THAT(phone_.say("SEARCH $"), StartsWith("* SEARCH 1 2\r\n")) << "with COUNT all are kept";
  phone_.say("SEARCH RETURN (SAVE MAX) ALL");
  EXPECT_THAT(phone_.say("SEARCH $"), StartsWith("* SEARCH 2\r\n"));
  EXPECT_THAT(phone_.say("SEARCH RETURN (SAVE) CHARSET KOI8-R ALL"), HasSubstr("NO [BADCHARSET"));
  EXPECT_EQ(phone_.status("FETCH $ (UID)"), "OK") << "NO empties it, and that is no error";
  EXPECT_THAT(phone_.say("SEARCH $"), StartsWith("* SEARCH\r\n"));
}

TEST_F(SearchExtensions, AgeAndSaveDate) {
  world_.now += std::chrono::hours(100 * 24);
  add("new", "Wed, 4 Mar 2026 10:00:00 +0000", "a@example.test", "", "11-Apr-2026 00:00:00 +0000");
  phone_.say("NOOP");
  EXPECT_THAT(phone_.say("SEARCH YOUNGER 3600"), StartsWith("* SEARCH 4\r\n"));
  EXPECT_THAT(phone_.say("SEARCH OLDER 3600"), StartsWith("* SEARCH 1 2 3\r\n"));
  EXPECT_EQ(phone_.status("SEARCH YOUNGER 0"), "BAD");
  EXPECT_THAT(phone_.say("FETCH 1,4 (SAVEDATE)"), AllOf(HasSubstr("SAVEDATE \" 1-Jan-2026 00:00:00 +0000\""),
                                                        HasSubstr("SAVEDATE \"11-Apr-2026 00:00:00 +0000\"")));
  EXPECT_THAT(phone_.say("SEARCH SAVEDSINCE 1-Feb-2026"), StartsWith("* SEARCH 4\r\n"));
  EXPECT_THAT(phone_.say("SEARCH SAVEDBEFORE 11-Apr-2026 SAVEDATESUPPORTED"), StartsWith("* SEARCH 1 2 3\r\n"));
  EXPECT_THAT(phone_.say("SEARCH SAVEDON 11-Apr-2026"), StartsWith("* SEARCH 4\r\n"));
  EXPECT_EQ(phone_.status("SEARCH SAVEDON yesterday"), "BAD");
}

TEST_F(SearchExtensions, ASearchIsKeptUpToDate) {
  EXPECT_THAT(phone_.say("SEARCH RETURN (UPDATE ALL) UNFLAGGED"), StartsWith("* ESEARCH (TAG \"a6\") ALL 1:3\r\n"));
  EXPECT_THAT(phone_.say("STORE 2 +FLAGS (\\Flagged)"), HasSubstr("* ESEARCH (TAG \"a6\") REMOVEFROM (0 2)\r\n"));
  EXPECT_THAT(phone_.say("STORE 2 -FLAGS (\\Flagged)"), HasSubstr("* ESEARCH (TAG \"a6\") ADDTO (0 2)\r\n"));
  ImapDevice desk(world_, "alice");
  desk.say("SELECT INBOX");
  desk.say("STORE 1 +FLAGS.SILENT (\\Deleted)");
  desk.say("EXPUNGE");
  const auto told = phone_.say("NOOP");
  EXPECT_LT(told.find("REMOVEFROM (0 1)"), told.find("* 1 EXPUNGE")) << told;
  EXPECT_EQ(phone_.status("CANCELUPDATE \"a6\""), "OK");
  EXPECT_THAT(phone_.say("STORE 1 +FLAGS (\\Flagged)"), Not(HasSubstr("ESEARCH")));
  EXPECT_THAT(phone_.say("SEARCH RETURN (UPDATE) 1:2"), HasSubstr("* NO [NOUPDATE \"")) << "numbers would change";
  EXPECT_EQ(phone_.status("CANCELUPDATE"), "BAD");
}

TEST_F(SearchExtensions, ASortedContextTellsPositions) {
  const auto first = phone_.say("UID SORT RETURN (UPDATE ALL) (DATE) UTF-8 UNFLAGGED");
  EXPECT_THAT(first, HasSubstr("UID ALL 2,1,3\r\n"));
  EXPECT_THAT(phone_.say("UID STORE 1 +FLAGS.SILENT (\\Flagged)"), HasSubstr("UID REMOVEFROM (2 1)\r\n"));
  EXPECT_THAT(phone_.say("UID STORE 1 -FLAGS.SILENT (\\Flagged)"), HasSubstr("UID ADDTO (2 1)\r\n"));
}

TEST_F(SearchExtensions, SeveralMailboxesAreSearched) {
  phone_.say("CREATE Work/Old");
  phone_.append("Work/Old", "Subject: alpha again\r\n\r\ntext\r\n");
  const auto told = phone_.say("ESEARCH IN (personal) SUBJECT alpha");
  EXPECT_THAT(told, HasSubstr("MAILBOX \"INBOX\" UIDVALIDITY "));
  EXPECT_THAT(told, HasSubstr("MAILBOX \"Work/Old\" UIDVALIDITY "));
  EXPECT_THAT(told, HasSubstr(") UID ALL 2:3\r\n"));
  EXPECT_THAT(phone_.say("ESEARCH IN (subtree Work) RETURN (COUNT) SUBJECT alpha"), HasSubstr(") UID COUNT 1\r\n"));
  EXPECT_THAT(phone_.say("ESEARCH IN (subtree-one Work inboxes) SUBJECT beta"), HasSubstr("MAILBOX \"INBOX\""));
  EXPECT_THAT(phone_.say("ESEARCH SUBJECT beta"), HasSubstr("MAILBOX \"INBOX\"")) << "the selected one";
  EXPECT_THAT(phone_.say("ESEARCH IN (mailboxes Nowhere) RETURN (COUNT) ALL"), Not(HasSubstr("* ESEARCH")));
  EXPECT_EQ(phone_.status("ESEARCH IN (personal) RETURN (SAVE) ALL"), "BAD");
  EXPECT_EQ(phone_.status("ESEARCH IN () ALL"), "BAD");
  EXPECT_EQ(phone_.status("ESEARCH IN (selected-delayed) ALL"), "BAD");
  phone_.say("CLOSE");
  EXPECT_EQ(phone_.status("ESEARCH IN (selected) ALL"), "BAD");
  EXPECT_EQ(phone_.status("ESEARCH IN (personal) ALL"), "OK");
}

TEST_F(SearchExtensions, ObjectsHaveNames) {
  const auto created = phone_.say("CREATE Box");
  EXPECT_THAT(created, HasSubstr("OK [MAILBOXID (F"));
  const auto id = created.substr(created.find("(F"), 11);
  phone_.say("RENAME Box Crate");
  EXPECT_THAT(phone_.say("STATUS Crate (MAILBOXID)"), HasSubstr("(MAILBOXID " + id + ")"));
  phone_.say("COPY 3 Crate");
  const auto ids = phone_.say("FETCH 3 (EMAILID THREADID)");
  EXPECT_THAT(phone_.say("SELECT Crate"), HasSubstr("* OK [MAILBOXID " + id + "]"));
  const auto copy = phone_.say("FETCH 1 (EMAILID THREADID)");
  EXPECT_EQ(copy.substr(copy.find("EMAILID"), 60), ids.substr(ids.find("EMAILID"), 60));
  const auto at = ids.find("THREADID (") + 10;
  phone_.say("SELECT INBOX");
  EXPECT_THAT(phone_.say("SEARCH THREADID " + ids.substr(at, ids.find(')', at) - at)), StartsWith("* SEARCH 2 3\r\n"));
  EXPECT_THAT(phone_.say("SEARCH EMAILID Mnobody"), StartsWith("* SEARCH\r\n"));
}

}  // namespace
}  // namespace mailproof::server
