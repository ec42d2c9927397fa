#include "session/imap/literal_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailproof::session {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::string_view kLine = "* 3 FETCH (UID 3 BODY[] {50}";
const std::string kBody = "Subject: a\r\n\r\n" + std::string(24, 'x') + "\r\n";  // 40 octets

TEST(LiteralWatch, SaysWhichLiteralAndBothLengthsWhereverItIsCut) {
  const std::string came = kBody + ")\r\na7 OK Done\r\n";
  for (std::size_t cut = 0; cut <= came.size(); ++cut) {
    LiteralWatch watch;
    watch.begin(kLine, 50, "a7");
    watch.add(std::string_view(came).substr(0, cut));
    watch.add(std::string_view(came).substr(cut));
    EXPECT_THAT(watch.suspicion(),
                AllOf(HasSubstr("BODY[] {50}"), HasSubstr("announces 50 octets; 40 came"), HasSubstr("the reply a7")))
        << cut;
  }
}

TEST(LiteralWatch, SaysNothingOfALiteralThatIsAsLongAsItSays) {
  LiteralWatch watch;
  watch.begin("* 3 FETCH (BODY[] {40}", kBody.size(), "a7");
  watch.add(kBody);
  EXPECT_EQ(watch.suspicion(), "");
  watch.begin("* LIST () \"/\" {3}", 3, "");  // nothing was asked
  watch.add("a\r\na7 OK");
  EXPECT_EQ(watch.suspicion(), "");
}

TEST(LiteralWatch, WhatIsLookedAtLateIsFoundAllTheSame) {
  const std::string came = kBody + ")\r\na7 OK Done\r\n";
  LiteralWatch watch;
  watch.begin("* 3 FETCH (BODY[] {55}", came.size(), "a7");
  watch.add(came);
  watch.look();  // nothing came behind it
  EXPECT_TRUE(watch.found());
  EXPECT_THAT(watch.suspicion(), HasSubstr("40 came"));
  for (std::size_t cut = 1; cut < came.size(); ++cut) {
    watch.begin("* 3 FETCH (BODY[] {55}", came.size(), "a7");
    watch.add(std::string_view(came).substr(0, cut));
    watch.look();
    watch.add(std::string_view(came).substr(cut));
    watch.row_over();  // it did not come in one piece with its row
    EXPECT_TRUE(watch.found()) << cut;
  }
  watch.begin(kLine, kBody.size(), "a7");
  watch.add(kBody);
  watch.row_over();
  EXPECT_FALSE(watch.found());
}

TEST(LiteralWatch, AnotherCommandsTagInAMessageIsMail) {
  LiteralWatch watch;
  watch.begin(kLine, 50, "a7");
  watch.add("C: a6 NOOP\r\na6 OK Done\r\na70 OK\r\n");
  EXPECT_EQ(watch.suspicion(), "");
}

}  // namespace
}  // namespace mailproof::session
