#include "wire/imap/framer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/imap/tests/support.h"

namespace mailproof::imap {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using tests::expect_same_at_every_split;
using tests::Recorder;

struct Variant {
  Framer::Reads reads = Framer::Reads::responses;
  LiteralAction action = LiteralAction::keep;
  FramerLimits limits = {};
};

/// Events, then deviations, then "dead" if so; the same however the bytes are cut.
std::vector<std::string> frame(std::string_view bytes, const Variant& variant = {}) {
  return expect_same_at_every_split(bytes, [&](const std::vector<std::string_view>& pieces) {
    Recorder sink;
    sink.choose = [&](const LiteralBegin&) { return variant.action; };
    Framer framer(variant.reads, sink, variant.limits);
    for (const std::string_view piece : pieces) framer.feed(piece);
    tests::append_deviations(framer, sink.events);
    if (framer.dead()) sink.events.emplace_back("dead");
    return sink.events;
  });
}

TEST(Framer, CutsLines) {
  EXPECT_THAT(frame("* OK ready\r\n* 18 EXISTS\r\na002 OK [READ-WRITE] SELECT completed\r\n"),
              ElementsAre("line * OK ready", "line * 18 EXISTS", "line a002 OK [READ-WRITE] SELECT completed"));
}

TEST(Framer, KeepsSmallLiterals) {
  EXPECT_THAT(frame("* LIST () \"/\" {7}\r\nfoo bar\r\n* LSUB () \"/\" {0}\r\n\r\n* 1 EXISTS\r\n"),
              ElementsAre("begin 7 after * LIST () \"/\" {7}", "line * LIST () \"/\" {7} <14:foo bar>",
                          "begin 0 after * LSUB () \"/\" {0}", "line * LSUB () \"/\" {0} <14:>", "line * 1 EXISTS"));
}

TEST(Framer, StreamsLiterals) {
  Variant variant;
  variant.action = LiteralAction::stream;
  EXPECT_THAT(frame("* 12 FETCH (BODY[HEADER] {17}\r\nSubject: {3}\r\n\r\n UID 7)\r\n", variant),
              ElementsAre("begin 17 after * 12 FETCH (BODY[HEADER] {17}", "streamed Subject: {3}\r\n\r\n ",
                          "line * 12 FETCH (BODY[HEADER] {17}UID 7) <25:elsewhere>"));
}

TEST(Framer, WhatStandsBehindALiteralMayEndTheLineOrBeginAnother) {
  EXPECT_THAT(
      frame("* 12 FETCH (BODY[1] {3}\r\nabc\r\n* 1 EXISTS\r\n"),
      ElementsAre("begin 3 after * 12 FETCH (BODY[1] {3}", "line * 12 FETCH (BODY[1] {3} <20:abc>", "line * 1 EXISTS"));
  EXPECT_THAT(frame("* 12 FETCH (X {1}\r\na{2}\r\nbc \"{3}\" {0}\r\n)\r\n"),
              ElementsAre("begin 1 after * 12 FETCH (X {1}", "begin 2 after * 12 FETCH (X {1}{2}",
                          "begin 0 after * 12 FETCH (X {1}{2} \"{3}\" {0}",
                          "line * 12 FETCH (X {1}{2} \"{3}\" {0}) <14:a> <17:bc> <27:>"));
}

TEST(Framer, LiteralsBeyondWhatIsKeptAreStreamed) {
  Variant variant;
  variant.limits.kept_literal = 3;
  EXPECT_THAT(frame("* X {3}\r\nabc {4}\r\nabcd\r\n", variant),
              ElementsAre("begin 3 after * X {3}", "begin 4 after * X {3} {4}", "streamed abcd",
                          "line * X {3} {4} <4:abc> <8:elsewhere>"));
  variant.limits.kept_literal = 10;
  variant.limits.kept_in_line = 5;
  EXPECT_THAT(frame("* X {3}\r\nabc {3}\r\nabc\r\n", variant),
              ElementsAre("begin 3 after * X {3}", "begin 3 after * X {3} {3}", "streamed abc",
                          "line * X {3} {3} <4:abc> <8:elsewhere>"));
}

// resp-text may end in what looks like an announcement: only the grammar tells.
TEST(Framer, BracesInFreeTextAnnounceNothing) {
  for (const char* line :
       {"* OK see {5}", "a1 NO [ALERT] quota at {5}", "a1 NO [ALERT x {5} quota", "* BYE {5}", "+ go on {5}", "+ {5}",
        "* OK [UNKNOWN {5}", "* PREAUTH {1}", "* 1 FETCH (ENVELOPE (\"date\" \"{5}", "* OK [X \"]\" y] {5}",
        "A1 BAD {5}", "* LIST () \"/\" {5} ", "* LIST () \"/\" x5}"}) {
    const std::string bytes = std::string(line).append("\r\n* 1 EXISTS\r\n");
    const std::string expected = std::string("line ").append(line);
    EXPECT_THAT(frame(bytes), ElementsAre(expected, "line * 1 EXISTS"));
  }
}

TEST(Framer, BadcharsetMayCarryLiterals) {
  EXPECT_THAT(frame("a1 NO [BADCHARSET ({5}\r\nUTF-8)] no {5}\r\n"),
              ElementsAre("begin 5 after a1 NO [BADCHARSET ({5}", "line a1 NO [BADCHARSET ({5})] no {5} <19:UTF-8>"));
}

TEST(Framer, WordsThatOnlyLookLikeAStatusAreData) {
  EXPECT_THAT(frame("* OKAY {2}\r\nhi\r\n"), ElementsAre("begin 2 after * OKAY {2}", "line * OKAY {2} <7:hi>"));
}

TEST(Framer, MalformedAnnouncementsAreDeath) {
  for (const char* line : {"* LIST () \"/\" {5-}", "* LIST () \"/\" {99999999999999999999}", "* LIST () \"/\" {0x10}",
                           "* X {18446744073709551616}", "* X {9223372036854775808}"}) {
    const auto events = frame(std::string(line).append("\r\n* 1 EXPUNGE\r\n"));
    ASSERT_EQ(events.size(), 2U) << line;
    EXPECT_THAT(events[0], testing::StartsWith("imap.literal.malformed")) << line;
    EXPECT_EQ(events[1], "dead") << line;
  }
}

TEST(Framer, BracesWithoutDigitsAreAnOddAtom) {
  for (const char* line : {"* X {abc}", "* XFOO {a1}", "* XFOO {}", "* XFOO {-5}", "* XFOO { 5}"})
    EXPECT_THAT(frame(std::string(line) + "\r\n* 1 EXISTS\r\n"),
                ElementsAre("line " + std::string(line), "line * 1 EXISTS"));
}

TEST(Framer, BareLfEndsALineAndIsNoted) {
  EXPECT_THAT(frame("* 1 EXISTS\n* LIST () \"/\" {3}\nfoo\r\n"),
              ElementsAre("line * 1 EXISTS", "begin 3 after * LIST () \"/\" {3}", "line * LIST () \"/\" {3} <14:foo>",
                          "imap.crlf.bare_lf at 10", "imap.crlf.bare_lf at 28"));
}

TEST(Framer, NulAndBareCrAreNoted) {
  EXPECT_THAT(
      frame(std::string_view("* OK a\0b\r\n* OK c\rd\r\n", 20)),
      ElementsAre(std::string("line * OK a\0b", 13), "line * OK c\rd", "imap.nul at 6", "imap.crlf.bare_cr at 16"));
}

TEST(Framer, NonSynchronisingLiteralsAreForClients) {
  EXPECT_THAT(frame("* X {2+}\r\nhi\r\n"), ElementsAre("begin 2 nonsync after * X {2+}", "line * X {2+} <4:hi>",
                                                       "imap.literal.nonsync_from_server at 8"));
}

TEST(Framer, StreamsTheNumbersOfSearch) {
  EXPECT_THAT(frame("* SEARCH 2 84 882\r\n* SEARCH\r\n* search 1 (MODSEQ 917162500)\r\n* SORT 5\r\n* SEARCHED 1\r\n"),
              ElementsAre("2", "84", "882", "line * SEARCH", "line * SEARCH", "1", "line * search (MODSEQ 917162500)",
                          "5", "line * SORT", "line * SEARCHED 1"));
}

TEST(Framer, SearchWithSomethingElseInItIsALine) {
  EXPECT_THAT(frame("* SEARCH 1 2x 3\r\n* SEARCH  x\r\n* SEARCH \r\n* SORT (X)\r\n"),
              ElementsAre("1", "line * SEARCH 2x 3", "line * SEARCH x", "line * SEARCH", "line * SORT (X)",
                          "imap.sp.extra at 25", "imap.sp.extra at 38"));
}

// search-data: nz-number; taken for one, 0 would stand for "*".
TEST(Framer, ZeroIsNoNumberOfASearch) {
  EXPECT_THAT(frame("* SEARCH 0 5 0\r\n"),
              ElementsAre("5", "line * SEARCH", "imap.number.zero at 8", "imap.number.zero at 8"));
}

TEST(Framer, NumbersOverTheirRangeAreNotedAndLeftOut) {
  EXPECT_THAT(
      frame("* SEARCH 4294967295 4294967296 1 99999999999999999999999999999999\r\n"),
      ElementsAre("4294967295", "1", "truncated * SEARCH", "imap.number.overflow at 8", "imap.number.overflow at 8"));
}

TEST(Framer, SkipsALineOverTheLimit) {
  Variant variant;
  variant.limits.line = 256;
  std::string line = "* LIST () \"/\" \"";
  line.append(300, 'x').append("\" {5}");
  const auto events = frame(line + "\r\nhello\r\n* 1 EXISTS\r\n", variant);
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0], std::string("truncated ").append(line.substr(0, 256)));
  EXPECT_EQ(events[1], "line * 1 EXISTS") << "the literal of a skipped line is no line";
  EXPECT_EQ(events[2], "imap.line.too_long at 256");
}

TEST(Framer, SkipsFreeTextOverTheLimitWithoutBelievingItsBraces) {
  Variant variant;
  variant.limits.line = 256;
  const auto events = frame(std::string("* OK ").append(400, 't').append(" {5}\r\n* 1 EXISTS\r\n"), variant);
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[1], "line * 1 EXISTS");
}

TEST(Framer, ACrInASkippedLineIsPartOfIt) {
  Variant variant;
  variant.limits.line = 256;
  std::string line = "* LIST () \"/\" ";
  line.append(300, 'x').append(" {5}\r\r\n* 1 EXISTS\r\n");
  const auto events = frame(line, variant);
  ASSERT_GE(events.size(), 2U);
  EXPECT_EQ(events[1], "line * 1 EXISTS") << "between the announcement and the line's end stands something";
}

TEST(Framer, LineLimitIsExact) {
  Variant variant;
  variant.limits.line = 256;
  const std::string fits = std::string("* OK ").append(250, 't') + "\r\n";
  EXPECT_EQ(frame(fits, variant).size(), 1U);
  EXPECT_EQ(frame("x" + fits, variant).size(), 2U);
}

TEST(Framer, LiteralsInALineAreLimited) {
  Variant variant;
  variant.limits.literals = 2;
  EXPECT_THAT(
      frame("* X {1}\r\na {1}\r\nb {1}\r\nc {1}\r\nd\r\n* 1 EXISTS\r\n", variant),
      ElementsAre("begin 1 after * X {1}", "begin 1 after * X {1} {1}", "truncated * X {1} {1} {1} {1} <4:a> <8:b>",
                  "line * 1 EXISTS", "imap.literal.too_many at 15"));
}

TEST(Framer, TenGigabytesCanBeAnnounced) {
  Recorder sink;
  Framer framer(Framer::Reads::responses, sink);
  sink.choose = [&](const LiteralBegin& begin) {
    if (begin.too_large) framer.stop();
    return LiteralAction::stream;
  };
  const std::string_view bytes = "* 1 FETCH (BODY[] {10737418240}\r\nReceived: from";
  EXPECT_EQ(framer.feed(bytes), bytes.find("Received"));
  EXPECT_THAT(sink.events, ElementsAre("begin 10737418240 too large after * 1 FETCH (BODY[] {10737418240}"));
  EXPECT_EQ(framer.literal_octets_missing(), 10737418240U);
}

TEST(Framer, AnEndlessLineCostsNoMemory) {
  Recorder sink;
  Framer framer(Framer::Reads::responses, sink);
  const std::string piece(1U << 20, 'x');
  framer.feed("* OK ");
  for (int i = 0; i < 200; ++i) framer.feed(piece);
  EXPECT_LE(framer.unfinished().size(), 64U << 10);
  EXPECT_EQ(framer.skipped(), (200U << 20) + 5 - (64U << 10));
  framer.feed("\r\n* 1 EXISTS\r\n");
  ASSERT_EQ(sink.events.size(), 2U);
  EXPECT_EQ(sink.events[1], "line * 1 EXISTS");
  EXPECT_EQ(framer.skipped(), 0U);
}

TEST(Framer, CommandsWithLiterals) {
  Variant variant;
  variant.reads = Framer::Reads::commands;
  EXPECT_THAT(frame("A001 LOGIN {11}\r\nFRED FOOBAR {7+}\r\nfat man\r\nA002 NOOP\r\n", variant),
              ElementsAre("begin 11 after A001 LOGIN {11}", "begin 7 nonsync after A001 LOGIN {11} {7+}",
                          "line A001 LOGIN {11} {7+} <11:FRED FOOBAR> <16:fat man>", "line A002 NOOP"));
  EXPECT_THAT(frame("A1 OK {1}\r\nx\r\n", variant), ElementsAre("begin 1 after A1 OK {1}", "line A1 OK {1} <6:x>"));
  EXPECT_THAT(frame("* SEARCH 1 2\r\n", variant), ElementsAre("line * SEARCH 1 2"));
}

TEST(Framer, ARefusedSynchronisingLiteralEndsItsCommand) {
  Variant variant;
  variant.reads = Framer::Reads::commands;
  variant.action = LiteralAction::refuse;
  EXPECT_THAT(frame("A1 APPEND x {9}\r\nA2 NOOP\r\n", variant),
              ElementsAre("begin 9 after A1 APPEND x {9}", "line A2 NOOP"));
  EXPECT_THAT(
      frame("A1 APPEND x {9+}\r\nA2 NOOP\r\n\r\nA3 NOOP\r\n", variant),
      ElementsAre("begin 9 nonsync after A1 APPEND x {9+}", "line A1 APPEND x {9+} <12:elsewhere>", "line A3 NOOP"));
}

TEST(Framer, AnOverlongCommandIsNotAskedForItsLiteral) {
  Variant variant;
  variant.reads = Framer::Reads::commands;
  variant.limits.line = 256;
  const std::string start = std::string("A1 SELECT ").append(300, 'm');
  auto events = frame(start + " {9}\r\nA2 NOOP\r\n", variant);
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[1], "line A2 NOOP");
  events = frame(start + " {9+}\r\nA2 NOOP\r\n\r\nA3 NOOP\r\n", variant);
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[1], "line A3 NOOP");
}

TEST(Framer, StopLeavesWhatFollowsUnread) {
  Recorder sink;
  Framer framer(Framer::Reads::responses, sink);
  sink.when_line = [&](const LogicalLine&) { framer.stop(); };
  const std::string_view bytes = "a1 OK Begin TLS negotiation now\r\n* OK injected\r\n";
  EXPECT_EQ(framer.feed(bytes), bytes.find("* OK injected"));
  EXPECT_EQ(framer.feed("more"), 0U);
  EXPECT_EQ(sink.events.size(), 1U);
  framer.restart();
  framer.feed("* OK after TLS\r\n");
  EXPECT_EQ(sink.events.back(), "line * OK after TLS");
}

TEST(Framer, KnowsWhereAConnectionEnded) {
  Recorder sink;
  Framer framer(Framer::Reads::responses, sink);
  EXPECT_TRUE(framer.at_line_begin());
  framer.feed("* 1 FETCH (BODY[] {2000}\r\nReceived: by mail.example.test\r\n");
  EXPECT_TRUE(framer.in_literal());
  EXPECT_EQ(framer.literal_octets_missing(), 1968U);
  EXPECT_EQ(framer.unfinished(), "* 1 FETCH (BODY[] {2000}");
  EXPECT_FALSE(framer.at_line_begin());
}

}  // namespace
}  // namespace mailproof::imap
