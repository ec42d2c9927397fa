#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "session/imap/tests/dialogue.h"

namespace mailproof::session {
namespace {

using testing::HasSubstr;
using tests::ImapDialogue;

const std::string message =
    "From: Alice <alice@example.test>\r\nTo: bob@example.test\r\nSubject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=\r\n"
    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b1\"\r\n\r\n"
    "--b1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nBest {5}\r\n.\r\n"
    "--b1\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\nAAECAw==\r\n--b1--\r\n";

TEST(ImapCommands, AreWrittenAsTheRfcSays) {
  ImapDialogue d;
  d.ready();
  const std::vector<std::string> flags{"\\Seen", "$Work"};
  const auto sends = [&](CommandId, std::string_view expected) {
    const std::string line = d.said();
    EXPECT_EQ(line.substr(line.find(' ') + 1), fmt::format("{}\r\n", expected));
    d.server(fmt::format("{} OK done\r\n", line.substr(0, line.find(' '))));
  };
  ImapClient& c = d.client;
  sends(c.select("Entw\u00fcrfe"), "SELECT Entw&APw-rfe");
  sends(c.select("INBOX", true), "EXAMINE INBOX");
  sends(c.select_qresync("INBOX", 67890007, 90060115194045000, "41:211,214:541"),
        "SELECT INBOX (QRESYNC (67890007 90060115194045000 41:211,214:541))");
  sends(c.select_qresync("INBOX", 1, 2, ""), "SELECT INBOX (QRESYNC (1 2))");
  sends(c.unselect(), "UNSELECT");
  sends(c.close(), "CLOSE");
  sends(c.enable("CONDSTORE QRESYNC"), "ENABLE CONDSTORE QRESYNC");
  sends(c.id(), "ID (\"name\" \"mailproof\")");
  sends(c.noop(), "NOOP");
  sends(c.check(), "CHECK");
  sends(c.uid_fetch("1:*", "(UID FLAGS BODY.PEEK[])"), "UID FETCH 1:* (UID FLAGS BODY.PEEK[])");
  sends(c.fetch("3,5:7", "ENVELOPE"), "FETCH 3,5:7 ENVELOPE");
  sends(c.uid_store("7", "+FLAGS.SILENT", flags), "UID STORE 7 +FLAGS.SILENT (\\Seen $Work)");
  sends(c.uid_copy("7", "two words"), "UID COPY 7 \"two words\"");
  sends(c.uid_move("7", "Trash"), "UID MOVE 7 Trash");
  sends(c.expunge(), "EXPUNGE");
  sends(c.uid_expunge("7"), "UID EXPUNGE 7");
  sends(c.uid_search("UNSEEN SINCE 1-Feb-2026"), "UID SEARCH UNSEEN SINCE 1-Feb-2026");
  sends(c.create("A/B"), "CREATE A/B");
  sends(c.remove("A/B"), "DELETE A/B");
  sends(c.rename("A", "B c"), "RENAME A \"B c\"");
  sends(c.subscribe("A"), "SUBSCRIBE A");
  sends(c.unsubscribe("A"), "UNSUBSCRIBE A");
  sends(c.list("", "*"), "LIST \"\" *");
  sends(c.lsub("", "%"), "LSUB \"\" %");
  sends(c.status("INBOX", "(MESSAGES UIDNEXT)"), "STATUS INBOX (MESSAGES UIDNEXT)");
  sends(c.get_quota_root("INBOX"), "GETQUOTAROOT INBOX");
  EXPECT_FALSE(c.busy());
}

TEST(ImapCommands, GoOutOneAtATime) {
  ImapDialogue d;
  d.ready();
  EXPECT_EQ(d.client.noop(), 1U);
  EXPECT_EQ(d.client.check(), 2U);
  EXPECT_EQ(d.wakes, 2);
  d.says("a2 NOOP\r\n");
  d.says("");
  EXPECT_TRUE(d.client.busy());
  d.server("a2 OK done\r\n");
  d.says("a3 CHECK\r\n");
  d.server("a3 NO [INUSE] busy\r\n");
  d.tells({"done 1 NOOP ok OK 'done'", "done 2 CHECK fail NO [INUSE] 'busy'"});
  EXPECT_FALSE(d.client.busy());
}

TEST(ImapCommands, ArePipelinedAndCompletedInAnyOrder) {
  ImapDialogue d;
  d.ready();
  d.client.pipelining(true);
  d.client.noop();
  d.client.check();
  d.client.noop();
  d.says("a2 NOOP\r\na3 CHECK\r\na4 NOOP\r\n");
  d.server("a3 OK b\r\na2 OK a\r\na4 BAD c\r\n");
  d.tells({"done 2 CHECK ok OK 'b'", "done 1 NOOP ok OK 'a'", "done 3 NOOP fail BAD 'c'"});
}

TEST(ImapCommands, MayBeIssuedFromACall) {
  ImapDialogue d;
  d.ready();
  d.sink.when_done = [&](const ImapCompletion& done) {
    if (done.id < 4) d.client.noop();
  };
  d.client.noop();
  for (int tag = 2; tag < 6; ++tag) {
    d.says(fmt::format("a{} NOOP\r\n", tag));
    d.server(fmt::format("a{} OK\r\n", tag));
  }
  d.says("");
  EXPECT_EQ(d.wakes, 1) << "within a call from the driver nobody needs waking";
}

TEST(ImapAppend, WaitsForTheContinuation) {
  for (const std::size_t piece : {0U, 1U}) {
    ImapDialogue d(ImapDialogue::plain(), piece);
    d.ready("IMAP4rev1 UIDPLUS");
    const auto body = std::make_shared<const std::string>(message);
    const std::vector<std::string> flags{"\\Seen"};
    d.client.append("Sent", flags, body);
    d.client.noop();
    d.says(fmt::format("a2 APPEND Sent (\\Seen) {{{}}}\r\n", message.size()));
    d.server("* 4 EXISTS\r\n");
    d.says("");
    d.server("+ Ready\r\n");
    ASSERT_FALSE(d.client.output().empty());
    EXPECT_EQ(as_text(d.client.output()[0].bytes).data(), body->data()) << "the message is not copied";
    d.says(message + "\r\n");
    d.server("a2 OK [APPENDUID 38505 3955] done\r\n");
    EXPECT_EQ(d.sink.events.back(), "done 1 APPEND ok OK [APPENDUID] 38505: ->3955 'done'");
    d.says("a3 NOOP\r\n");
  }
}

TEST(ImapAppend, SendsTheLiteralAtOnceWhereTheServerTakesIt) {
  ImapDialogue d;
  d.ready("IMAP4rev1 LITERAL+");
  d.client.append("Sent", {}, std::make_shared<const std::string>(message));
  d.says(fmt::format("a2 APPEND Sent {{{}+}}\r\n{}\r\n", message.size(), message));
  d.server("a2 NO [OVERQUOTA] full\r\n");
  d.tells({"done 1 APPEND fail NO [OVERQUOTA] 'full'"});
}

TEST(ImapAppend, RefusedBeforeTheLiteralLeavesTheSessionInOrder) {
  for (const char* word : {"NO [TRYCREATE]", "BAD"}) {
    ImapDialogue d;
    d.ready("IMAP4rev1");
    d.client.append("Missing", {}, std::make_shared<const std::string>(message));
    d.client.noop();
    d.said();
    d.server(fmt::format("a2 {} no such mailbox\r\n", word));
    d.says("a3 NOOP\r\n");
    d.server("a3 OK done\r\n");
    EXPECT_EQ(d.sink.events.back(), "done 2 NOOP ok OK 'done'");
  }
}

TEST(ImapAppend, EveryStepMayEndTheConnection) {
  for (const bool continued : {false, true}) {
    for (const bool timeout : {false, true}) {
      ImapDialogue d;
      d.ready("IMAP4rev1");
      d.client.append("Sent", {}, std::make_shared<const std::string>(message));
      d.client.noop();
      d.said();
      if (continued) {
        d.server("+ go\r\n");
        d.said();
      }
      d.sink.events.clear();
      if (timeout)
        d.pass(61s);
      else
        d.client.ended(EndReason::reset, "", d.now);
      ASSERT_EQ(d.sink.events.size(), 3U);
      EXPECT_THAT(d.sink.events[0], HasSubstr("done 1 APPEND info '")) << "nobody can say whether it was appended";
      EXPECT_THAT(d.sink.events[1], HasSubstr("done 2 NOOP info '"));
      EXPECT_EQ(d.sink.end.step, "APPEND");
      EXPECT_TRUE(d.sink.end.ready);
      EXPECT_EQ(d.client.noop(), 0U) << "after the end nothing is taken any more";
    }
  }
}

TEST(ImapCommands, CopyAndMoveTellTheUids) {
  ImapDialogue d;
  d.ready();
  d.selected(5);
  d.client.uid_copy("304,320:319", "Work");
  d.says("a3 UID COPY 304,320:319 Work\r\n");
  d.server("a3 OK [COPYUID 38505 304,319:320 3956:3958] Done\r\n");
  d.tells({"done 2 UID COPY ok OK [COPYUID] 38505: 304,319,320->3956,3957,3958 'Done'"});
  d.client.uid_move("42", "Work");
  d.said();
  d.server("* OK [COPYUID 432432 42 1202] moved\r\n* 2 EXPUNGE\r\na4 OK done\r\n");
  d.tells({"expunge 2 uid 0", "done 3 UID MOVE ok OK [COPYUID] 432432: 42->1202 'done'"});
}

TEST(ImapCommands, ACopyuidOfFourThousandMillionIsNotExpanded) {
  ImapDialogue d;
  d.ready();
  d.client.uid_copy("1:*", "Work");
  d.said();
  d.server("a2 OK [COPYUID 1 1:4294967295 1:4294967295] x\r\n");
  ASSERT_EQ(d.sink.events.size(), 2U);
  EXPECT_EQ(d.sink.events[0], "deviation imap.copyuid.unusable");
}

TEST(ImapIdle, EndsWhenAskedTo) {
  for (const std::size_t piece : {0U, 1U}) {
    ImapDialogue d(ImapDialogue::plain(), piece);
    d.ready();
    d.selected(2);
    d.client.idle();
    d.says("a3 IDLE\r\n");
    EXPECT_TRUE(d.client.busy());
    d.server("+ idling\r\n");
    EXPECT_TRUE(d.client.idling());
    EXPECT_FALSE(d.client.busy());
    d.server("* 3 EXISTS\r\n* 1 EXPUNGE\r\n");
    d.client.finish_idle();
    d.says("DONE\r\n");
    d.client.finish_idle();
    d.says("");
    d.server("a3 OK done\r\n");
    d.tells({"idling", "exists 3 was 2", "expunge 1 uid 0", "done 2 IDLE ok OK 'done'"});
  }
}

TEST(ImapIdle, EndsForTheNextCommand) {
  ImapDialogue d;
  d.ready();
  d.client.idle();
  d.said();
  d.client.noop();
  d.says("");
  d.server("+ idling\r\n");
  d.says("DONE\r\n");
  d.server("a2 OK idle done\r\n");
  d.says("a3 NOOP\r\n");
  d.server("a3 OK done\r\n");
  d.client.idle();
  d.says("a4 IDLE\r\n");
  d.server("+ idling\r\n");
  d.client.noop();
  d.says("DONE\r\n");
}

TEST(ImapIdle, IsRefreshedWithin29Minutes) {
  ImapDialogue d;
  d.ready();
  d.client.idle();
  d.said();
  d.server("+ idling\r\n");
  d.sink.events.clear();
  for (int tag = 2; tag < 5; ++tag) {
    d.pass(std::chrono::minutes(28));
    d.says("");
    d.pass(90s);
    d.says("DONE\r\n");
    d.server(fmt::format("a{} OK done\r\n", tag));
    d.says(fmt::format("a{} IDLE\r\n", tag + 1));
    d.server("+ idling\r\n");
  }
  d.tells({});
  d.client.finish_idle();
  d.says("DONE\r\n");
  d.server("a5 OK over\r\n");
  d.tells({"done 1 IDLE ok OK 'over'"});
}

TEST(ImapIdle, EveryStepMayFail) {
  for (const char* word : {"NO", "BAD"}) {
    ImapDialogue d;
    d.ready();
    d.client.idle();
    d.said();
    d.server(fmt::format("a2 {} not now\r\n", word));
    d.tells({fmt::format("done 1 IDLE fail {} 'not now'", word)});
    d.client.noop();
    d.says("a3 NOOP\r\n");
  }
  for (const int step : {0, 1, 2}) {
    ImapDialogue d;
    d.ready();
    d.client.idle();
    d.said();
    if (step > 0) d.server("+ idling\r\n");
    if (step > 1) {
      d.client.finish_idle();
      d.said();
    }
    if (step == 1) {
      d.client.ended(EndReason::closed, "", d.now);
      EXPECT_EQ(d.sink.end.reason, EndReason::closed);
    } else {
      d.pass(62s);
      EXPECT_EQ(d.sink.end.reason, EndReason::timeout);
    }
    EXPECT_EQ(d.sink.end.step, "IDLE");
    EXPECT_EQ(d.sink.ends, 1);
  }
}

TEST(ImapLogout, IsACleanEnd) {
  ImapDialogue d;
  d.ready();
  d.client.logout();
  d.says("a2 LOGOUT\r\n");
  d.server("* BYE see you\r\na2 OK done\r\n");
  ASSERT_EQ(d.sink.events.size(), 2U);
  EXPECT_EQ(d.sink.events[0], "done 1 LOGOUT ok OK 'done'");
  EXPECT_TRUE(d.sink.end.clean);
  EXPECT_EQ(d.sink.end.step, "LOGOUT");
  EXPECT_EQ(d.client.wants(), Wants::close);
}

// RFC 3501 section 6.1.3: BYE is required.
TEST(ImapLogout, WithoutByeIsNoted) {
  ImapDialogue d;
  d.ready();
  d.client.logout();
  d.said();
  d.server("a2 OK done\r\n");
  EXPECT_TRUE(d.sink.end.clean);
  EXPECT_THAT(d.sink.events, testing::Contains(HasSubstr("deviation imap.logout.without-bye")));
}

// RFC 9585: a server at work says so; it has no end of time for it all the same.
TEST(ImapBounds, AServerThatIsAtWorkIsAwaitedLonger) {
  ImapDialogue d;
  d.ready();
  d.client.noop();
  d.pass(0s);
  d.said();
  for (int i = 0; i < 5; ++i) {
    d.pass(50s);
    d.server("* OK [INPROGRESS (\"a2\" 1 100)] working\r\n");
  }
  EXPECT_EQ(d.sink.ends, 0);
  for (int i = 0; i < 60; ++i) {
    d.pass(50s);
    d.server("* OK [INPROGRESS] working\r\n");
  }
  EXPECT_EQ(d.sink.ends, 1);
}

TEST(ImapLogout, WithoutItsReplyIsNotClean) {
  ImapDialogue d;
  d.ready();
  d.client.logout();
  d.said();
  d.server("* BYE see you\r\n");
  d.client.ended(EndReason::closed, "", d.now);
  EXPECT_FALSE(d.sink.end.clean);
  EXPECT_THAT(d.sink.events[0], HasSubstr("done 1 LOGOUT info"));
}

TEST(ImapBounds, TimeCountsFromWhenACommandWasSent) {
  ImapDialogue d;
  d.ready();
  d.now += std::chrono::hours(5);
  d.client.noop();
  d.pass(0s);
  d.said();
  d.pass(59s);
  EXPECT_EQ(d.sink.ends, 0) << "five quiet hours are not the command's";
  d.pass(2s);
  EXPECT_EQ(d.sink.end.why, "no reply within 1m");
  EXPECT_EQ(d.sink.end.step, "NOOP");
}

TEST(ImapBounds, ProgressMovesTheBound) {
  ImapDialogue d;
  d.ready();
  d.selected(9);
  d.client.uid_fetch("1:*", "BODY.PEEK[]");
  d.said();
  const std::string mebibyte(1U << 20, 'x');
  d.server("* 1 FETCH (UID 4 BODY[] {5242975}\r\n");
  for (int i = 0; i < 5; ++i) {
    d.pass(50s);
    d.server(mebibyte);
  }
  d.pass(59s);
  EXPECT_EQ(d.sink.ends, 0);
  d.pass(2s);
  EXPECT_EQ(d.sink.end.why, "no end of the reply within 310s, 95 octets of a literal missing");
}

TEST(ImapBounds, GivingUpEndsEverythingInTheNextCall) {
  ImapDialogue d;
  d.ready();
  d.client.noop();
  d.client.give_up("the phone was switched off");
  d.tells({});
  d.says("");
  EXPECT_EQ(d.client.wants(), Wants::close);
  d.client.ended(EndReason::dropped, "", d.now);
  d.tells({"done 1 NOOP info 'the phone was switched off'", "ended dropped: NOOP: the phone was switched off"});
}

}  // namespace
}  // namespace mailproof::session
