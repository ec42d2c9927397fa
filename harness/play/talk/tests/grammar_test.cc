#include "play/talk/grammar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace mailproof::play {
namespace {

bool has(const std::vector<Departure>& all, std::string_view code) {
  return std::any_of(all.begin(), all.end(), [&](const Departure& one) { return one.code == code; });
}

TEST(Grammar, ProperRepliesDepartFromNothing) {
  for (const char* line :
       {"* 3 EXISTS", "* VANISHED 1:3", "* VANISHED (EARLIER) 41,43:116", "* SEARCH", "* SEARCH 2 3 6",
        "* 12 FETCH (UID 9 FLAGS (\\Seen) BODY[HEADER] {4}\r\na\r\n\r)", "* OK [UIDVALIDITY 4] valid",
        "* LIST (\\HasNoChildren) \"/\" \"&AOk-&-&AOk-\"", "* STATUS INBOX (MESSAGES 3)"})
    EXPECT_TRUE(departures(line).empty()) << line << ": " << departures(line).front().code;
}

TEST(Grammar, AVanishedThatNamesUidZeroIsNamed) {
  EXPECT_TRUE(has(departures("* VANISHED 0:1"), "imap.vanished.unreadable"));
  EXPECT_TRUE(has(departures("* VANISHED"), "imap.vanished.unreadable"));
}

// No RFC says how long a line may be.
TEST(Grammar, ALineThatIsLongerThanIsReadHereDepartsFromNothing) {
  std::string set = "1";
  for (int uid = 3; uid < 60'000; uid += 2) set += "," + std::to_string(uid);
  for (const std::string& line : {"* VANISHED (EARLIER) " + set, "* THREAD (" + set + ")", "* ESEARCH UID ALL " + set})
    EXPECT_TRUE(departures(line).empty()) << departures(line).front().code;
}

TEST(Grammar, WhatCannotBeReadIsADeparture) {
  EXPECT_FALSE(departures("* 3 FETCH (FLAGS \\Seen)").empty());
  EXPECT_FALSE(departures("* QUOTA \"ROOT\"").empty());
}

TEST(Grammar, ABlankBehindTheLastNumberOfASearchIsOneTooMany) {
  EXPECT_TRUE(has(departures("* SEARCH 7456 "), "imap.sp.extra"));
  EXPECT_TRUE(has(departures("* SEARCH "), "imap.sp.extra"));
  EXPECT_TRUE(has(departures("* SORT 2  3"), "imap.sp.extra"));
}

TEST(Grammar, ARowThatCannotBeReadIsNamed) {
  for (const char* line :
       {"* 3 FETCH (FLAGS NIL)", "* 3 FETCH (UID 0)", "* 0 FETCH (FLAGS ())", "* 3 FETCH (MODSEQ (-1))"})
    EXPECT_TRUE(has(departures(line), "imap.fetch.unreadable")) << line;
  // A bound of the reader's own is no fault.
  EXPECT_FALSE(
      has(departures("* 3 FETCH (X " + std::string(80, '(') + std::string(80, ')') + ")"), "imap.fetch.unreadable"));
}

TEST(Grammar, WhatStandsInAnEnvelopeIsRead) {
  EXPECT_TRUE(has(departures("* 3 FETCH (ENVELOPE (NIL NIL () NIL NIL NIL NIL NIL NIL NIL))"), "imap.envelope"));
  EXPECT_TRUE(has(departures("* OK [HIGHESTMODSEQ 0] highest"), "imap.number.zero"));
}

}  // namespace
}  // namespace mailproof::play
