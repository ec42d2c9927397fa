#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "session/imap/tests/dialogue.h"

namespace mailproof::session {
namespace {

using testing::HasSubstr;
using tests::ImapDialogue;

/// A session with a FETCH under way, and the end that what the server does must bring.
class ImapHostile : public testing::Test {
 protected:
  void start(ClientConfig config = ImapDialogue::plain()) {
    d = std::make_unique<ImapDialogue>(std::move(config));
    d->ready();
    d->selected(3);
    d->client.uid_fetch("1:*", "(FLAGS BODY.PEEK[])");
    d->said();
  }
  void expect_broken(std::string_view why) {
    EXPECT_EQ(d->sink.ends, 1);
    EXPECT_TRUE(d->sink.end.broken);
    EXPECT_EQ(d->sink.end.reason, EndReason::dropped);
    EXPECT_EQ(d->sink.end.step, "UID FETCH");
    EXPECT_THAT(d->sink.end.why, HasSubstr(std::string(why)));
    EXPECT_EQ(d->client.wants(), Wants::close);
    EXPECT_FALSE(d->client.deadline());
    const auto events = d->sink.events;
    d->server("* 1 EXPUNGE\r\na3 OK done\r\n");
    EXPECT_EQ(d->sink.events, events) << "nothing is read after the end";
    int completions = 0;
    for (const std::string& event : events) completions += event.starts_with("done 2 UID FETCH info") ? 1 : 0;
    EXPECT_EQ(completions, 1);
  }
  std::unique_ptr<ImapDialogue> d;
};

TEST_F(ImapHostile, AnnouncesTenGigabytes) {
  start();
  d->server("* 1 FETCH (UID 1 BODY[] {10737418240}\r\nReceived: by");
  expect_broken("literal of 10737418240 octets announced");
}

TEST_F(ImapHostile, AnnouncesMoreThanANumberHolds) {
  start();
  d->server("* 1 FETCH (UID 1 BODY[] {99999999999999999999}\r\n* 1 EXPUNGE\r\n");
  expect_broken("announcement");
}

TEST_F(ImapHostile, SendsAnEndlessLine) {
  start();
  const std::string piece(1U << 16, 'x');
  d->server("* OK ");
  int pieces = 0;
  while (d->sink.ends == 0 && ++pieces < 1000) d->server(piece);
  EXPECT_LE(pieces, 20);
  expect_broken("a line of more than");
  EXPECT_TRUE(d->sink.end.beyond);
}

TEST_F(ImapHostile, SendsALongLineAndGoesOn) {
  start();
  d->server(fmt::format("* XDATA {}\r\n* 4 EXISTS\r\na3 OK done\r\n", std::string(200'000, 'x')));
  d->tells({"deviation imap.line.too_long", "exists 4 was 3", "done 2 UID FETCH ok OK 'done'"});
}

TEST_F(ImapHostile, FloodsWithResponses) {
  ClientConfig config = ImapDialogue::plain();
  config.max_responses = 1000;
  start(config);
  for (int i = 0; i < 2000 && d->sink.ends == 0; ++i) d->server("* 3 EXISTS\r\n");
  expect_broken("more than 1000 responses");
  EXPECT_TRUE(d->sink.end.beyond);
}

TEST_F(ImapHostile, FloodsWithOctets) {
  ClientConfig config = ImapDialogue::plain();
  config.max_response_bytes = 1U << 20;
  start(config);
  const std::string row = fmt::format("* 1 FETCH (UID 1 BODY[] {{60000}}\r\n{})\r\n", std::string(60000, 'm'));
  for (int i = 0; i < 100 && d->sink.ends == 0; ++i) {
    d->server(row);
    d->sink.events.clear();
  }
  EXPECT_TRUE(d->sink.end.broken);
  EXPECT_THAT(d->sink.end.why, HasSubstr("more than 1048576 octets"));
}

TEST_F(ImapHostile, FloodsBetweenCommands) {
  ClientConfig config = ImapDialogue::plain();
  config.max_responses = 100;
  ImapDialogue quiet(config);
  quiet.ready();
  for (int i = 0; i < 200 && quiet.sink.ends == 0; ++i) quiet.server("* OK still here\r\n");
  EXPECT_TRUE(quiet.sink.end.broken);
  EXPECT_EQ(quiet.sink.end.step, "between commands");
}

TEST_F(ImapHostile, ALongSessionIsNoFlood) {
  ClientConfig config = ImapDialogue::plain();
  config.max_responses = 10;
  for (const bool pipelining : {false, true}) {
    ImapDialogue busy(config);
    busy.ready();
    busy.client.pipelining(pipelining);
    busy.client.noop();
    for (int tag = 2; tag < 200; ++tag) {
      busy.client.noop();  // One is always waiting behind the one that is answered.
      busy.said();
      busy.server(fmt::format("* OK a\r\n* OK b\r\n* OK c\r\na{} OK done\r\n", tag));
    }
    EXPECT_EQ(busy.sink.ends, 0);
  }
}

TEST_F(ImapHostile, NestsTwoMillionDeep) {
  ClientConfig config = ImapDialogue::plain();
  config.max_line = 4U << 20;
  start(config);
  d->server("* 1 FETCH (UID 1 BODYSTRUCTURE ");
  const std::string piece(1U << 16, '(');
  for (int i = 0; i < 32; ++i) d->server(piece);
  d->server("\r\na3 OK done\r\n");
  EXPECT_EQ(d->sink.ends, 0) << "one odd response harms nobody";
  EXPECT_THAT(d->sink.events, testing::Contains("deviation imap.list.too_deep"));
  EXPECT_EQ(d->sink.events.back(), "done 2 UID FETCH ok OK 'done'");
}

TEST_F(ImapHostile, LiesAboutCounts) {
  start();
  d->server("* 4294967295 EXISTS\r\n");
  expect_broken("claims a mailbox of 4294967295 messages");
}

TEST_F(ImapHostile, VanishesMoreThanThereCanBe) {
  start();
  d->server("* VANISHED (EARLIER) 1:4294967295\r\n* VANISHED 1:4294967295\r\n");
  d->tells({"vanished earlier 1:4294967295", "vanished 1:4294967295", "deviation imap.vanished.unknown_uid",
            "expunge 1 uid 0", "expunge 1 uid 0", "expunge 1 uid 0"});
  d->server("* VANISHED 1:*\r\n");
  expect_broken("VANISHED");
  EXPECT_FALSE(d->sink.end.beyond);
}

// RFC 7162 section 3.2.10 bounds no set. What was not read is not known to be gone, and nothing may be said of it.
TEST_F(ImapHostile, SendsAVanishedThatIsLongerThanALineIsRead) {
  start();
  std::string set = "100001";
  for (int uid = 100'003; uid < 130'000; uid += 2) set += fmt::format(",{}", uid);
  d->server(fmt::format("* VANISHED (EARLIER) {}\r\n", set));
  expect_broken("a VANISHED of more than 65536 octets");
  EXPECT_TRUE(d->sink.end.beyond);
}

TEST_F(ImapHostile, SaysSetsOfMillionsThatStayRanges) {
  start();
  d->server("* ESEARCH UID ALL 1:4000000\r\n* VANISHED (EARLIER) 5,7:4000000\r\n* VANISHED 1:4000000\r\n");
  d->tells({"search 1:4000000", "vanished earlier 5,7:4000000", "vanished 1:4000000",
            "deviation imap.vanished.unknown_uid", "expunge 1 uid 0", "expunge 1 uid 0", "expunge 1 uid 0"});
  EXPECT_EQ(d->client.view().exists, 0U);
}

TEST_F(ImapHostile, AnnouncesMessagesThatCostNothingUntilTheyAreShown) {
  start();
  d->server("* 1000000 EXISTS\r\n* 2 FETCH (UID 20)\r\n");
  EXPECT_EQ(d->client.view().exists, 1'000'000U);
  EXPECT_EQ(d->client.view().uids.size(), 2U);
  d->server("* 1000001 EXISTS\r\n");
  expect_broken("claims a mailbox of 1000001 messages");
  EXPECT_TRUE(d->sink.end.beyond) << "RFC 9051 has no bound";
}

TEST_F(ImapHostile, LetsTheMailboxGrowAndShrinkForEver) {
  ClientConfig config = ImapDialogue::plain();
  config.max_moved = 10'000;
  start(config);
  for (int i = 0; i < 1000 && d->sink.ends == 0; ++i) {
    d->server("* 503 EXISTS\r\n* VANISHED 1000:1499\r\n");
    d->sink.events.resize(std::min<std::size_t>(d->sink.events.size(), 1));
  }
  EXPECT_EQ(d->sink.ends, 1);
  EXPECT_THAT(d->sink.end.why, HasSubstr("more than 10000 messages that come, go and move"));
}

TEST_F(ImapHostile, SaysMoreThanMayBeKeptInManyAnswers) {
  Share share{10'000, 0};
  ClientConfig config = ImapDialogue::plain();
  config.share = &share;
  d = std::make_unique<ImapDialogue>(config);
  d->ready();
  d->selected(1);
  int answers = 0;
  for (int tag = 3; tag < 1000 && d->sink.ends == 0; ++tag) {
    d->client.noop();
    d->said();
    share.used += 100;  // as who listens would count it
    d->server(fmt::format("* 1 FETCH (FLAGS ())\r\na{} OK done\r\n", tag));
    answers += d->sink.events.back().starts_with("done") ? 1 : 0;
  }
  EXPECT_EQ(d->sink.ends, 1);
  EXPECT_TRUE(d->sink.end.broken);
  EXPECT_THAT(d->sink.end.why, HasSubstr("more than 9 KiB to keep"));
  EXPECT_EQ(answers, 100) << "that they are many is nothing until it is too much";
}

TEST_F(ImapHostile, ClaimsToHaveCopiedMoreThanWasAskedFor) {
  for (const bool move : {false, true}) {
    start();
    d->server("a3 OK done\r\n");
    d->sink.events.clear();
    move ? d->client.uid_move("2,4:5", "Archive") : d->client.uid_copy("2,4:5", "Archive");
    d->said();
    d->server("* OK [COPYUID 7 1:1000000 1:1000000] told\r\na4 OK [COPYUID 7 2:5 1:4] done\r\n");
    ASSERT_EQ(d->sink.events.size(), 3U);
    EXPECT_EQ(d->sink.events[0], "deviation imap.copyuid.unusable");
    EXPECT_EQ(d->sink.events[1], "deviation imap.copyuid.unusable");
    EXPECT_THAT(d->sink.events[2], HasSubstr("7: ->"));
  }
}

TEST_F(ImapHostile, SpeaksGarbage) {
  for (const char* garbage : {"hello\r\n", "Subject: something\r\n", "\r\n", "a3 MAYBE\r\n"}) {
    start();
    d->server(garbage);
    expect_broken("unreadable response");
    EXPECT_FALSE(d->sink.end.beyond);
  }
}

TEST_F(ImapHostile, AnswersWhatWasNotAsked) {
  start();
  d->server("zz OK done\r\n+ go on\r\na1 OK again\r\n* 2 WHAT\r\n* XSTUFF\r\n");
  d->tells({"deviation imap.tag.unknown", "deviation imap.continuation.unexpected", "deviation imap.tag.unknown",
            "deviation imap.response.unknown", "deviation imap.response.unknown"});
  EXPECT_EQ(d->sink.ends, 0);
}

TEST_F(ImapHostile, ClosesInTheMiddleOfALiteral) {
  start();
  d->server("* 1 FETCH (UID 1 BODY[] {2000}\r\nReceived: by mail.example.test\r\n");
  d->client.ended(EndReason::closed, "", d->now);
  EXPECT_EQ(d->sink.events[0], "content 1 [] 2000");
  EXPECT_THAT(d->sink.events[1], HasSubstr("octets Received")) << "what was begun is ended";
  EXPECT_THAT(d->sink.end.message(),
              testing::AllOf(HasSubstr("imap 127.0.0.1:143: UID FETCH"), HasSubstr("1968 octets of a literal missing"),
                             HasSubstr("* 1 FETCH (UID 1 BODY[]")));
}

TEST_F(ImapHostile, ClosesInTheMiddleOfALine) {
  start();
  d->server("* 1 FETCH (UI");
  d->client.ended(EndReason::reset, "connection reset by peer", d->now);
  EXPECT_EQ(d->sink.end.why, "connection reset by peer, in the middle of a line");
  EXPECT_EQ(d->sink.end.seen, "* 1 FETCH (UI");
}

TEST_F(ImapHostile, SaysByeAndStays) {
  start();
  d->server("* BYE shutting down\r\n");
  EXPECT_EQ(d->sink.ends, 0);
  d->pass(11s);
  EXPECT_EQ(d->sink.end.why, "the server said BYE: shutting down");
}

TEST_F(ImapHostile, SaysByeAndGoes) {
  start();
  d->server("* BYE shutting down\r\n");
  d->client.ended(EndReason::closed, "", d->now);
  EXPECT_THAT(d->sink.end.why, HasSubstr("after BYE: shutting down"));
  EXPECT_EQ(d->sink.end.reason, EndReason::closed);
}

}  // namespace
}  // namespace mailproof::session
