#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "history/ledger/ledger.h"
#include "history/tests/mailbox_story.h"

namespace mailproof::history {
namespace {

TEST(Ledger, QuitRemovesExactlyWhatWasMarked) {
  Story s;
  const auto mail = s.messages(4);
  const std::uint32_t out = s.lmtp();
  for (const std::uint32_t m : mail) s.deliver(out, m, s.alice);
  const std::uint32_t pop = s.pop3(s.pc);
  for (std::uint32_t i = 0; i < 4; ++i) s.pop_content(pop, mail[i], i + 1, Story::uidl(i));
  s.dele(pop, 1);
  s.ask(What::rset, pop);
  s.dele(pop, 2);
  s.dele(pop, 3, 0, Type::fail);
  s.dele(pop, 4, 0, Type::info);
  s.ask(What::quit, pop);
  EXPECT_EQ(cell_of(s, mail[0], s.alice).removes + cell_of(s, mail[0], s.alice).maybe_removes, 0);
  EXPECT_EQ(cell_of(s, mail[1], s.alice).removes, 1);
  EXPECT_EQ(cell_of(s, mail[2], s.alice).removes + cell_of(s, mail[2], s.alice).maybe_removes, 0);
  EXPECT_EQ(cell_of(s, mail[3], s.alice).maybe_removes, 1);
}

TEST(Ledger, QuitWithoutAnAnswerOrWithAnErrorIsAMaybeAndNoQuitIsNothing) {
  for (const Type outcome : {Type::info, Type::fail, Type::ok}) {
    Story s;
    const std::uint32_t m = s.message();
    s.deliver(s.lmtp(), m, s.alice);
    const std::uint32_t pop = s.pop3(s.pc);
    s.uidl_row(pop, 1, "a1");
    s.pop_content(pop, m, 1, "a1");
    s.dele(pop, 1);
    if (outcome != Type::ok) s.ask(What::quit, pop, {}, outcome);
    s.end(pop, "broken", "reset");
    EXPECT_EQ(cell_of(s, m, s.alice).removes, 0);
    EXPECT_EQ(cell_of(s, m, s.alice).maybe_removes, outcome == Type::ok ? 0 : 1);
  }
}

TEST(Ledger, DeleOfAMessageDownloadedInAnEarlierSession) {
  Story s;
  const std::uint32_t m = s.message();
  s.deliver(s.lmtp(), m, s.alice);
  const std::uint32_t first = s.pop3(s.pc);
  s.uidl_row(first, 1, "stable");
  s.pop_content(first, m, 1, "stable");
  s.ask(What::quit, first);
  const std::uint32_t second = s.pop3(s.pc);
  s.uidl_row(second, 1, "stable");
  s.dele(second, 1);
  s.ask(What::quit, second);
  EXPECT_EQ(cell_of(s, m, s.alice).removes, 1);
  EXPECT_EQ(s.ledger.message_with_uidl(s.alice, "stable"), m);
}

TEST(Ledger, BothProtocolsRemovingOneCopyCountOnce) {
  Mailbox s(1);
  const std::uint32_t pop = s.pop3(s.pc);
  s.pop_content(pop, s.mail[0], 1, "a");
  s.dele(pop, 1);
  s.store(s.hand, "1");
  s.expunge(s.hand);
  s.ask(What::quit, pop);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice).removes, 1);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice).removed_over, 3);
}

TEST(Ledger, OfTwoCopiesBothProtocolsMayHaveRemovedTheSameOne) {
  Story s;
  const std::uint32_t m = s.message();
  const std::uint32_t out = s.lmtp();
  s.deliver(out, m, s.alice);
  s.deliver(out, m, s.alice);
  const std::uint32_t hand = s.imap(s.phone);
  s.select(hand, "INBOX", 2);
  s.content(hand, m, 1, 1);
  s.content(hand, m, 2, 2);
  const std::uint32_t pop = s.pop3(s.pc);
  s.pop_content(pop, m, 1, "a");
  s.store(hand, "1");
  s.expunge(hand);
  s.dele(pop, 1);
  s.ask(What::quit, pop);
  EXPECT_EQ(cell_of(s, m, s.alice).least(), 0);
  EXPECT_EQ(cell_of(s, m, s.alice).most(), 1);
}

TEST(Ledger, OneUidlForTwoMessagesDoesNotMixThem) {
  Story s;
  const auto mail = s.messages(2);
  const std::uint32_t out = s.lmtp();
  for (const std::uint32_t m : mail) s.deliver(out, m, s.alice);
  const std::uint32_t pop = s.pop3(s.pc);
  for (std::uint32_t i = 0; i < 2; ++i) s.uidl_row(pop, i + 1, "same");
  for (std::uint32_t i = 0; i < 2; ++i) s.pop_content(pop, mail[i], i + 1, "same");
  s.dele(pop, 2);
  s.ask(What::quit, pop);
  EXPECT_EQ(cell_of(s, mail[0], s.alice).removes, 0);
  EXPECT_EQ(cell_of(s, mail[1], s.alice).removes, 1);
}

}  // namespace
}  // namespace mailproof::history
