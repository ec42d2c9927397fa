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

TEST(Grammar, WhatCannotBeReadIsADeparture) {
  EXPECT_FALSE(departures("* 3 FETCH (FLAGS \\Seen)").empty());
  EXPECT_FALSE(departures("* QUOTA \"ROOT\"").empty());
}

}  // namespace
}  // namespace mailproof::play
