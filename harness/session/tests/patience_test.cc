#include "session/patience.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "session/imap/tests/dialogue.h"

namespace mailproof::session {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using tests::ImapDialogue;

constexpr Time kStart{100s};
constexpr std::uint64_t kMiB = 1U << 20;

TEST(Patience, LastsItsBoundFromTheBeginning) {
  Patience patience;
  patience.begin(kStart);
  EXPECT_EQ(patience.due(60s), kStart + 60s);
  EXPECT_FALSE(patience.answered());
}

TEST(Patience, IsNotProlongedByATrickle) {
  Patience patience;
  patience.begin(kStart);
  for (auto at = kStart; at < kStart + 60s; at += 1s) patience.received(1000, at);
  EXPECT_EQ(patience.due(60s), kStart + 60s);
  EXPECT_TRUE(patience.answered());
  EXPECT_EQ(patience.waited(patience.due(60s)), 60s);
}

TEST(Patience, LetsASlowLineTakeItsTimeWhileItMoves) {
  Patience patience;
  patience.begin(kStart);
  auto at = kStart;
  for (int i = 0; i < 100; ++i) {
    at += 50s;
    ASSERT_LT(at, patience.due(60s)) << i;
    patience.sent(kMiB, at);
  }
  EXPECT_EQ(patience.due(60s), at + 60s) << "but no longer than the bound once nothing moves";
  EXPECT_FALSE(patience.answered());
  patience.begin(at);
  EXPECT_EQ(patience.due(60s), at + 60s);
}

TEST(Patience, OfAnImapCommandEndsUnderATrickle) {
  ImapDialogue d(ImapDialogue::plain());
  d.ready();
  d.selected(3);
  d.client.uid_fetch("1:*", "(FLAGS)");
  d.said();
  for (int i = 0; i < 59; ++i) {
    d.pass(1s);
    d.server("* OK still here\r\n");
    ASSERT_EQ(d.sink.ends, 0) << i;
  }
  d.pass(1s);
  ASSERT_EQ(d.sink.ends, 1);
  EXPECT_EQ(d.sink.end.reason, EndReason::timeout);
  EXPECT_THAT(d.sink.end.why, HasSubstr("no end of the reply within 1m"));
  EXPECT_THAT(d.sink.end.seen, HasSubstr("OK still here"));
}

TEST(Patience, OfAnImapCommandOutlastsALongMessageOnASlowLine) {
  ImapDialogue d(ImapDialogue::plain());
  d.ready();
  d.selected(3);
  d.client.uid_fetch("1", "(BODY.PEEK[])");
  d.said();
  const std::string part(kMiB, 'm');
  d.server("* 1 FETCH (UID 1 BODY[] {5242880}\r\n");
  for (int i = 0; i < 5; ++i) {
    d.pass(50s);
    d.server(part);
    ASSERT_EQ(d.sink.ends, 0) << i;
  }
  d.server(")\r\na3 OK done\r\n");
  EXPECT_EQ(d.sink.ends, 0);
}

}  // namespace
}  // namespace mailproof::session
