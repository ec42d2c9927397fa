#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "session/imap/mailbox_view.h"
#include "session/imap/tests/dialogue.h"

namespace mailproof::session {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using tests::ImapDialogue;

class ImapMailbox : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Pieces, ImapMailbox, testing::Values(0, 1, 5));

TEST_P(ImapMailbox, SelectFillsTheView) {
  ImapDialogue d(ImapDialogue::plain(), GetParam());
  d.ready();
  d.client.select("INBOX");
  d.said();
  d.server(
      "* 172 EXISTS\r\n* 1 RECENT\r\n* OK [UNSEEN 12] first unseen\r\n* OK [UIDVALIDITY 3857529045] UIDs valid\r\n"
      "* OK [UIDNEXT 4392] next\r\n* FLAGS (\\Answered \\Seen)\r\n* OK [PERMANENTFLAGS (\\Deleted \\*)] Limited\r\n"
      "* OK [HIGHESTMODSEQ 715194045007] Highest\r\na2 OK [READ-WRITE] SELECT completed\r\n");
  d.tells({"exists 172 was 0", "recent 1", "done 1 SELECT ok OK [READ-WRITE] 'SELECT completed'"});
  const ImapView& view = d.client.view();
  EXPECT_EQ(view.mailbox, "INBOX");
  EXPECT_FALSE(view.read_only);
  EXPECT_EQ(view.exists, 172U);
  EXPECT_THAT(view.uids, IsEmpty()) << "nothing is known of them yet";
  EXPECT_EQ(view.uidvalidity, 3857529045U);
  EXPECT_EQ(view.uidnext, 4392U);
  EXPECT_EQ(view.highestmodseq, 715194045007U);
}

TEST_P(ImapMailbox, FetchRowsTeachUids) {
  ImapDialogue d(ImapDialogue::plain(), GetParam());
  d.ready();
  d.selected(3);
  d.client.uid_fetch("1:*", "(UID FLAGS RFC822.SIZE INTERNALDATE MODSEQ ENVELOPE BODYSTRUCTURE)");
  d.said();
  d.server(
      "* 1 FETCH (UID 10 FLAGS (\\Seen $Work) RFC822.SIZE 4286 INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" MODSEQ "
      "(7))\r\n"
      "* 2 FETCH (UID 20 ENVELOPE (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL \"<a@b>\") BODYSTRUCTURE (\"TEXT\" \"PLAIN\" "
      "NIL NIL NIL \"7BIT\" 1 1))\r\n"
      "* 3 FETCH (UID 30 FLAGS ())\r\na3 OK done\r\n");
  d.tells({"fetch 1 uid 10 flags \\Seen $Work size 4286 modseq 7 date 17-Jul-1996 02:44:25 -0700",
           "fetch 2 uid 20 envelope (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL \"<a@b>\") structure (\"TEXT\" \"PLAIN\" "
           "NIL NIL NIL \"7BIT\" 1 1)",
           "fetch 3 uid 30 flags", "done 2 UID FETCH ok OK 'done'"});
  EXPECT_THAT(d.client.view().uids, ElementsAre(10, 20, 30));
  d.server("* 2 FETCH (FLAGS (\\Deleted))\r\n* 2 EXPUNGE\r\n* 2 FETCH (FLAGS (\\Seen))\r\n* 3 EXISTS\r\n");
  d.tells({"fetch 2 uid 20 flags \\Deleted", "expunge 2 uid 20", "fetch 2 uid 30 flags \\Seen", "exists 3 was 2"});
  EXPECT_THAT(d.client.view().uids, ElementsAre(10, 30));
}

TEST_P(ImapMailbox, ContentIsHandedOnAsItComes) {
  ImapDialogue d(ImapDialogue::plain(), GetParam());
  d.ready();
  d.selected(4);
  d.client.uid_fetch("1:*", "(BODY.PEEK[])");
  d.said();
  d.server(
      "* 1 FETCH (UID 10 BODY[] {26}\r\nSubject: a\r\n\r\n* 9 EXISTS\r\n)\r\n* 2 FETCH (BODY[] NIL UID 20)\r\n"
      "* 3 FETCH (UID 30 BODY[HEADER.FIELDS (X-MAILPROOF)] \"quoted \\\"x\\\"\")\r\n* 4 FETCH (UID 40 RFC822.HEADER "
      "{0}\r\n)\r\na3 OK done\r\n");
  d.tells({"content 1 [] 26", "octets Subject: a\r\n\r\n* 9 EXISTS\r\n", "fetch 1 uid 10 content [] 26",
           "fetch 2 uid 20 content [] 0 nil", "content 3 [HEADER.FIELDS (X-MAILPROOF)] 10", "octets quoted \"x\"",
           "fetch 3 uid 30 content [HEADER.FIELDS (X-MAILPROOF)] 10", "content 4 [HEADER] 0", "octets ",
           "fetch 4 uid 40 content [HEADER] 0", "done 2 UID FETCH ok OK 'done'"});
}

TEST_P(ImapMailbox, VanishedRemovesWhatIsKnown) {
  ImapDialogue d(ImapDialogue::plain(), GetParam());
  d.ready();
  d.selected(4);
  d.server("* 1 FETCH (UID 10)\r\n* 2 FETCH (UID 20)\r\n* 3 FETCH (UID 30)\r\n* 4 FETCH (UID 40)\r\n");
  d.sink.events.clear();
  d.server("* VANISHED 20,40\r\n* VANISHED (EARLIER) 1:3\r\n");
  d.tells({"vanished 20,40", "expunge 2 uid 20", "expunge 3 uid 40", "vanished earlier 1,2,3"});
  EXPECT_THAT(d.client.view().uids, ElementsAre(10, 30));
  EXPECT_EQ(d.client.view().exists, 2U);
}

TEST(ImapMailboxView, VanishedAmongUnknownUids) {
  ImapMailboxView m;
  m.select_sent("INBOX");
  m.select_answering();
  std::uint32_t before = 0;
  m.exists(6, before);
  m.select_done(true, false);
  m.view().uids = {10, 0, 0, 40, 0, 60};
  const auto removed = m.vanished(imap::SequenceSet::parse("20,50,70").value()).known;
  ASSERT_EQ(removed.size(), 2U) << "70 was never there: nothing lies behind 60";
  EXPECT_EQ(removed[0].seq, 2U);
  EXPECT_EQ(removed[1].seq, 4U);
  EXPECT_THAT(m.view().uids, ElementsAre(10, 0, 40, 60));
  EXPECT_THAT(m.vanished(imap::SequenceSet::parse("1:4294967295").value()).known, testing::SizeIs(4));
  EXPECT_EQ(m.view().exists, 0U);
}

TEST(ImapMailboxView, VanishedBehindWhatIsKnownIsCountedNotListed) {
  ImapMailboxView m;
  m.select_sent("INBOX");
  m.select_answering();
  std::uint32_t before = 0;
  m.exists(1'000'000, before);
  m.select_done(true, false);
  std::uint32_t uid = 20;
  m.fetched(2, uid);
  const auto& gone = m.vanished(imap::SequenceSet::parse("5,21:900000").value());
  ASSERT_EQ(gone.known.size(), 1U) << "the first, whose UID lies below 20";
  EXPECT_EQ(gone.known[0].seq, 1U);
  EXPECT_EQ(gone.behind, 899'980U);
  EXPECT_EQ(gone.seq_behind, 2U);
  EXPECT_EQ(m.view().exists, 100'019U);
  EXPECT_THAT(m.view().uids, ElementsAre(20));
  EXPECT_EQ(m.vanished(imap::SequenceSet::parse("1:4294967295").value()).behind, 100'018U) << "as many as there are";
  EXPECT_EQ(m.view().exists, 0U);
}

TEST(ImapMailboxView, ServersThatContradictThemselvesAreNoted) {
  ImapDialogue d;
  d.ready();
  d.selected(3);
  d.server("* 4 EXPUNGE\r\n");
  d.tells({"deviation imap.expunge.out_of_range", "expunge 4 uid 0"});
  d.server("* 2 EXISTS\r\n");
  d.tells({"deviation imap.exists.decreased", "exists 2 was 3"});
  d.server("* 7 FETCH (UID 70 FLAGS ())\r\n");
  d.tells({"deviation imap.fetch.out_of_range", "fetch 7 uid 70 flags"});
  d.server("* 1 FETCH (UID 10)\r\n* 1 FETCH (UID 11)\r\n");
  d.tells({"fetch 1 uid 10", "deviation imap.uid.changed", "fetch 1 uid 11"});
}

TEST(ImapMailboxView, ASecondSelectKeepsTheOldMailboxUntilItIsAnswered) {
  ImapDialogue d;
  d.ready();
  d.selected(3);
  d.server("* 3 FETCH (UID 30)\r\n");
  d.client.select("Archive", true);
  d.said();
  d.sink.events.clear();
  d.server("* 3 EXPUNGE\r\n");
  d.tells({"expunge 3 uid 30"});
  EXPECT_EQ(d.client.view().mailbox, "INBOX");
  d.server("* OK [CLOSED] bye INBOX\r\n* 1 EXISTS\r\n* 1 FETCH (UID 5 FLAGS ())\r\na3 OK [READ-ONLY] done\r\n");
  d.tells({"exists 1 was 0", "fetch 1 uid 5 flags", "done 2 EXAMINE ok OK [READ-ONLY] 'done'"});
  EXPECT_EQ(d.client.view().mailbox, "Archive");
  EXPECT_TRUE(d.client.view().read_only);
}

TEST(ImapMailboxView, AFailedSelectLeavesNothingSelectedAndABadOneChangesNothing) {
  for (const bool bad : {false, true}) {
    ImapDialogue d;
    d.ready();
    d.selected(3);
    d.client.select("Missing");
    d.said();
    d.server(bad ? "a3 BAD what\r\n" : "a3 NO [NONEXISTENT] none\r\n");
    EXPECT_EQ(d.client.view().mailbox, bad ? "INBOX" : "");
    EXPECT_EQ(d.client.view().exists, bad ? 3U : 0U);
  }
}

TEST(ImapMailboxView, UnselectWithoutTheExtension) {
  ImapDialogue d;
  d.ready("IMAP4rev1");
  d.selected(1);
  d.client.unselect();
  d.says("a3 EXAMINE \"\"\r\n");
  d.server("a3 NO no such mailbox\r\n");
  d.tells({"done 2 EXAMINE ok NO 'no such mailbox'"});
  EXPECT_EQ(d.client.view().mailbox, "");
  d.server("* 5 EXISTS\r\n");
  d.tells({"deviation imap.unselected.data"});
}

// BAD: the EXAMINE was not tried, and what was selected still is.
TEST(ImapMailboxView, UnselectThatIsNotTriedLeavesTheMailboxSelected) {
  ImapDialogue d;
  d.ready("IMAP4rev1");
  d.selected(1);
  d.client.unselect();
  d.said();
  d.server("a3 BAD what\r\n");
  d.tells({"done 2 EXAMINE fail BAD 'what'"});
  EXPECT_EQ(d.client.view().mailbox, "INBOX");
  d.server("* 5 EXISTS\r\n");
  d.tells({"exists 5 was 1"});
}

// CLOSE expunges where the mailbox may be written to (RFC 9051 section 6.4.1).
TEST(ImapMailboxView, AMailboxThatBecomesWritableIsNotClosedInOrderToLeaveIt) {
  ImapDialogue d;
  d.ready("IMAP4rev1");
  d.selected(1);
  d.server("* OK [READ-ONLY] for now\r\n");
  EXPECT_TRUE(d.client.view().read_only);
  d.server("* OK [READ-WRITE] again\r\n");
  EXPECT_FALSE(d.client.view().read_only);
  d.client.unselect();
  d.says("a3 EXAMINE \"\"\r\n");
}

// RFC 9051 section 6.3.2 gives what answers SELECT no order.
TEST(ImapMailboxView, ARowMayComeBeforeExistsWhileSelectIsAnswered) {
  ImapDialogue d;
  d.ready();
  d.selected(1);
  d.client.select("Archive");
  d.said();
  d.sink.events.clear();
  d.server("* FLAGS (\\Seen)\r\n* 3 FETCH (FLAGS (\\Seen))\r\n* 4 EXISTS\r\n* 5 FETCH (FLAGS ())\r\n");
  d.tells({"fetch 3 uid 0 flags \\Seen", "exists 4 was 0", "deviation imap.fetch.out_of_range", "fetch 5 uid 0 flags"});
}

TEST(ImapNames, AreAsTheyAreOnceUtf8IsEnabled) {
  for (const std::string enabled : {"UTF8=ACCEPT", "IMAP4rev2"}) {
    ImapDialogue d;
    d.ready("IMAP4rev1 ENABLE");
    d.client.enable(enabled);
    d.said();
    d.server("* ENABLED " + enabled + "\r\na2 OK done\r\n");
    d.sink.events.clear();
    d.client.create("M\u00fcller & \"S\u00f6hne\"");
    d.says("a3 CREATE \"M\u00fcller & \\\"S\u00f6hne\\\"\"\r\n");
    d.server("* LIST () \"/\" \"M\u00fcller & S\u00f6hne\"\r\n");
    d.tells({"list M\u00fcller & S\u00f6hne /"});
  }
  ImapDialogue both;
  both.ready("IMAP4rev1 IMAP4rev2");
  both.client.create("M\u00fcller");
  both.says("a2 CREATE M&APw-ller\r\n");
  ImapDialogue only;
  only.ready("IMAP4rev2");
  only.client.create("M\u00fcller");
  only.says("a2 CREATE \"M\u00fcller\"\r\n");
}

TEST(ImapExtensions, DataOfTheNameOfARunningCommandWereAskedFor) {
  ImapDialogue d;
  d.client.listen(d.now);
  ImapClient::Heard command;
  command.name = "XAPPLEPUSHSERVICE";
  command.tag = "a4";
  d.client.heard(command, d.now);
  d.server("* XAPPLEPUSHSERVICE aps-version \"2\"\r\n* XOTHER 1\r\n");
  d.tells({"deviation imap.response.unknown"});
}

TEST(ImapStatus, HandsOnNumbersOnly) {
  ImapDialogue d;
  d.ready();
  d.server("* STATUS INBOX (MESSAGES NIL UIDNEXT \"x\" UNSEEN 3 APPENDLIMIT NIL MAILBOXID (F1))\r\n");
  d.tells({"deviation imap.syntax", "deviation imap.syntax", "status INBOX UNSEEN 3"});
}

TEST(ImapCapabilities, ThatAreNoneAreNotTaken) {
  ImapDialogue d;
  d.ready("IMAP4rev1 IDLE");
  d.server("* CAPABILITY\r\n");
  d.tells({"deviation imap.syntax"});
  EXPECT_TRUE(d.client.has("IDLE"));
}

TEST(ImapFetch, AnEnvelopeIsHandedOnWithItsLiterals) {
  ImapDialogue d;
  d.ready();
  d.selected(1);
  d.server(
      "* 1 FETCH (BODY[HEADER] {2}\r\n\r\n ENVELOPE (NIL {8}\r\na\"b\\c(1) NIL NIL NIL NIL NIL NIL NIL "
      "{3}\r\n<i>))\r\n");
  EXPECT_THAT(d.sink.events.back(),
              testing::HasSubstr("envelope (NIL \"a\\\"b\\\\c(1)\" NIL NIL NIL NIL NIL NIL NIL \"<i>\")"));
}

TEST_P(ImapMailbox, ListsStatusesSearchesQuotas) {
  ImapDialogue d(ImapDialogue::plain(), GetParam());
  d.ready();
  d.client.list("", "*");
  d.said();
  d.server(
      "* LIST (\\HasNoChildren \\Drafts) \"/\" Entw&APw-rfe\r\n* LSUB () NIL {3}\r\na b\r\n* LIST () \"/\" bad&name\r\n"
      "* STATUS INBOX (MESSAGES 231 UIDNEXT 44292)\r\n* SEARCH 2 84 882\r\n* SEARCH\r\n* ESEARCH (TAG \"a2\") UID ALL "
      "4:6\r\n"
      "* QUOTAROOT INBOX \"user one\" #2\r\n* QUOTA \"user one\" (STORAGE 10 512 MESSAGE 1 9)\r\na2 OK done\r\n");
  d.tells({"list Entw\u00fcrfe / \\HasNoChildren \\Drafts", "lsub a b -", "deviation imap.mailbox.utf7",
           "list bad&name /", "status INBOX MESSAGES 231", "status INBOX UIDNEXT 44292", "search 2,84,882", "search ",
           "search 4,5,6", "quotaroot INBOX 'user one'", "quotaroot INBOX '#2'", "quota 'user one' STORAGE 10/512",
           "quota 'user one' MESSAGE 1/9", "done 1 LIST ok OK 'done'"});
}

TEST(ImapPipelinedSelect, IsAnsweredAfterTheCommandBeforeIt) {
  ImapDialogue d;
  d.ready();
  d.selected(2);
  d.client.pipelining(true);
  d.client.noop();
  d.client.select("Archive");
  d.said();
  d.server("* 3 EXISTS\r\na3 OK noop\r\n* FLAGS ()\r\n* 9 EXISTS\r\na4 OK done\r\n");
  d.tells({"exists 3 was 2", "done 2 NOOP ok OK 'noop'", "exists 9 was 0", "done 3 SELECT ok OK 'done'"});
  EXPECT_EQ(d.client.view().mailbox, "Archive");
}

}  // namespace
}  // namespace mailproof::session
