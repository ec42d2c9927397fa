#include "history/ledger/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "history/number_map.h"
#include "history/tests/mailbox_story.h"

namespace mailproof::history {
namespace {

TEST(NumberMap, KeepsEveryKeyWhileItGrows) {
  NumberMap map;
  for (std::uint32_t i = 1; i <= 5000; ++i) map.set(std::uint64_t{i} << 32U | (i % 7), i);
  for (std::uint32_t i = 1; i <= 5000; ++i) EXPECT_EQ(map.get(std::uint64_t{i} << 32U | (i % 7)), i);
  EXPECT_EQ(map.get(42), 0U);
  map.set(std::uint64_t{9} << 32U | 2, 0);
  EXPECT_EQ(map.get(std::uint64_t{9} << 32U | 2), 0U);
}

/// How long such a chain is the server says, by the UIDs of one COPYUID.
TEST(Ledger, AChainOfCopiesIsKnownWhenOneEndIs) {
  constexpr std::uint32_t kCopies = 200'000;
  Story s;
  const std::uint32_t m = s.message();
  const std::uint32_t hand = s.imap(s.phone);
  s.select(hand, "INBOX", kCopies);
  s.ask(
      What::copy, hand,
      [](Event& e) {
        e.set = "1";
        e.mailbox = e.other_mailbox = "INBOX";
      },
      Type::ok,
      [&](Event& e) {
        e.set = fmt::format("1:{}", kCopies);
        e.facts = CopyFacts{fmt::format("2:{}", kCopies + 1)};
        e.uidvalidity = 1;
      });
  s.content(hand, m, 1, 1, "full");
  EXPECT_EQ(s.ledger.message_at(s.alice, "INBOX", 1, kCopies + 1), m);
}

TEST(Ledger, CountsDeliveriesByOutcome) {
  Story s;
  const auto mail = s.messages(3);
  const std::uint32_t out = s.lmtp();
  s.deliver(out, mail[0], s.alice);
  s.deliver(out, mail[1], s.alice, Type::info, 0, "", "connection lost after the final dot");
  s.deliver(out, mail[2], s.alice, Type::fail, 552, "5.2.2");
  EXPECT_EQ(cell_of(s, mail[0], s.alice).least(), 1);
  EXPECT_EQ(cell_of(s, mail[1], s.alice).least(), 0);
  EXPECT_EQ(cell_of(s, mail[1], s.alice).most(), 1);
  EXPECT_EQ(s.ledger.find(mail[2], s.alice, "INBOX"), nullptr);
  ASSERT_EQ(s.ledger.attempts().size(), 3U);
  EXPECT_EQ(s.ledger.attempts()[2].smtp_code, 552);
}

TEST(Ledger, InboxIsCaseInsensitiveAndOthersAreNot) {
  Mailbox s(1);
  EXPECT_NE(s.ledger.find(s.mail[0], s.alice, "Inbox"), nullptr);
  EXPECT_EQ(s.ledger.message_at(s.alice, "inbox", 1, 1), s.mail[0]);
  EXPECT_EQ(s.ledger.message_at(s.alice, "INBOX", 2, 1), 0U);
}

TEST(Ledger, AppendTeachesItsUid) {
  Story s;
  const std::uint32_t m = s.message();
  const std::uint32_t session = s.imap(s.phone);
  const auto asked = [&](Event& e) {
    e.message = m;
    e.mailbox = "Sent";
  };
  s.ask(What::append, session, asked, Type::ok, [](Event& e) {
    e.uidvalidity = 5;
    e.uid = 77;
  });
  EXPECT_EQ(s.ledger.message_at(s.alice, "Sent", 5, 77), m);
  EXPECT_EQ(cell_of(s, m, s.alice, "Sent").adds, 1);
  s.ask(What::append, session, asked, Type::info);
  s.ask(What::append, session, asked, Type::fail);
  EXPECT_EQ(cell_of(s, m, s.alice, "Sent").maybe_adds, 1);
  EXPECT_EQ(cell_of(s, m, s.alice, "Sent").adds, 1);
}

TEST(Ledger, ExpungeRemovesWhatWasMarked) {
  Mailbox s(3);
  s.store(s.hand, "1:2");
  s.expunge(s.hand, Type::ok, "2");  // UID EXPUNGE 2 leaves 1
  EXPECT_EQ(cell_of(s, s.mail[1], s.alice).removes, 1);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice).removes, 0);
  s.expunge(s.hand);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice).removes, 1);
  EXPECT_EQ(cell_of(s, s.mail[1], s.alice).removes, 1);
  EXPECT_EQ(cell_of(s, s.mail[2], s.alice).removes, 0);
  EXPECT_EQ(s.history.event(cell_of(s, s.mail[0], s.alice).removed_by).what, What::expunge);
  EXPECT_EQ(s.history.event(cell_of(s, s.mail[0], s.alice).marked_by).what, What::store);
}

TEST(Ledger, ExpungeWithoutAnAnswerIsAMaybe) {
  Mailbox s(1);
  s.store(s.hand, "1");
  s.expunge(s.hand, Type::info);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice).maybe_removes, 1);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice).least(), 0);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice).most(), 1);
  const std::uint32_t other = s.imap(s.laptop);
  s.select(other, "INBOX", 1);
  s.expunged(other, 1, 1);  // told to somebody else: it happened
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice).removes, 1);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice).maybe_removes, 0);
}

TEST(Ledger, UnansweredStoreLeavesTheMarkPossible) {
  Mailbox s(1);
  s.store(s.hand, "1", "+FLAGS.SILENT", "\\Deleted \\Seen", Type::info);
  const std::uint32_t other = s.imap(s.laptop);
  s.select(other, "INBOX", 1);
  s.expunge(other);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice).maybe_removes, 1);
}

TEST(Ledger, StoreThatEndsAfterTheExpungeBeganIsAMaybe) {
  Mailbox s(1);
  const std::uint32_t other = s.imap(s.laptop);
  s.select(other, "INBOX", 1);
  const std::uint32_t store = s.invoke(What::store, s.hand, [](Event& e) {
    e.set = "1";
    e.code = "+FLAGS";
    e.flags = "\\Deleted";
  });
  const std::uint32_t expunge = s.invoke(What::expunge, other);
  s.done(store, Type::ok);
  s.done(expunge, Type::ok);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice).maybe_removes, 1);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice).removes, 0);
}

TEST(Ledger, AClearedMarkIsNoMark) {
  Mailbox s(3);
  s.store(s.hand, "1:3");
  s.store(s.hand, "1", "-FLAGS");
  s.store(s.hand, "2", "FLAGS", "\\Seen");
  s.expunge(s.hand);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice).removes + cell_of(s, s.mail[0], s.alice).maybe_removes, 0);
  EXPECT_EQ(cell_of(s, s.mail[1], s.alice).removes + cell_of(s, s.mail[1], s.alice).maybe_removes, 0);
  EXPECT_EQ(cell_of(s, s.mail[2], s.alice).removes, 1);
}

TEST(Ledger, AMarkThatMayHaveBeenClearedIsAMaybe) {
  Mailbox s(1);
  s.store(s.hand, "1");
  s.store(s.hand, "1", "-FLAGS", "\\Deleted", Type::info);
  s.expunge(s.hand);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice).maybe_removes, 1);
}

TEST(Ledger, MarksSeenInRowsExplainButDoNotDemand) {
  Mailbox s(1);
  s.row(s.hand, 1, 1, "\\Deleted");
  s.expunge(s.hand);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice).maybe_removes, 1);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice).removes, 0);
}

TEST(Ledger, TwoSessionsExpungeTheSameMessageOnce) {
  Mailbox s(1);
  const std::uint32_t other = s.imap(s.laptop);
  s.select(other, "INBOX", 1);
  s.store(s.hand, "1");
  const std::uint32_t a = s.invoke(What::expunge, s.hand);
  const std::uint32_t b = s.invoke(What::expunge, other);
  s.done(a, Type::ok);
  s.done(b, Type::ok);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice).removes, 1);
}

TEST(Ledger, CloseRemovesFromASelectedMailboxNotFromAnExaminedOne) {
  Mailbox s(1);
  s.store(s.hand, "1");
  const std::uint32_t reader = s.imap(s.laptop);
  s.select(reader, "INBOX", 1, 1, What::examine);
  s.ask(What::close, reader);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice).removes, 0);
  s.ask(What::close, s.hand);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice).removes, 1);
}

TEST(Ledger, MoveWithCopyuidIsExact) {
  Mailbox s(2);
  s.move(What::move, s.hand, "1:2", "Trash", Type::ok, "11:12");
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(cell_of(s, s.mail[i], s.alice).removes, 1);
    EXPECT_EQ(cell_of(s, s.mail[i], s.alice, "Trash").adds, 1);
  }
  EXPECT_EQ(s.ledger.message_at(s.alice, "Trash", 1, 12), s.mail[1]);
}

TEST(Ledger, MoveWithoutCopyuidIsAMaybeUntilTheSourceIsToldGone) {
  Mailbox s(2);
  s.move(What::move, s.hand, "1:2", "Trash");
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice).maybe_removes, 1);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice).maybe_moves, 1);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice, "Trash").maybe_adds, 1);
  s.expunged(s.hand, 1, 1);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice).removes, 1);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice).maybe_moves, 0);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice, "Trash").adds, 1);
  EXPECT_EQ(cell_of(s, s.mail[1], s.alice, "Trash").adds, 0);
}

TEST(Ledger, AMoveThatFailsOwesNothingAndItsRetryCountsOnce) {
  Mailbox s(1);
  s.move(What::move, s.hand, "1", "Archive", Type::fail);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice).least(), 1);
  s.expunged(s.hand, 1, 1);  // told before the tagged OK of the second attempt
  s.move(What::move, s.hand, "1", "Archive", Type::ok, "5");
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice).removes, 1);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice, "Archive").adds, 1);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice, "Archive").maybe_adds, 0);
}

TEST(Ledger, AnUnansweredMoveAndItsRetryCountOnce) {
  for (const bool told_first : {false, true}) {
    Mailbox s(1);
    s.move(What::move, s.hand, "1", "Archive", Type::info);
    const std::uint32_t again = s.imap(s.phone);
    s.select(again, "INBOX", 1);
    if (told_first) s.expunged(again, 1, 1);
    s.move(What::move, again, "1", "Archive", Type::ok, "5");
    EXPECT_EQ(cell_of(s, s.mail[0], s.alice).removes, 1);
    EXPECT_EQ(cell_of(s, s.mail[0], s.alice).maybe_moves, 0);
    EXPECT_EQ(cell_of(s, s.mail[0], s.alice, "Archive").adds, 1);
    EXPECT_EQ(cell_of(s, s.mail[0], s.alice, "Archive").maybe_adds, 0);
  }
}

TEST(Ledger, CopyOutcomes) {
  Mailbox s(3);
  s.move(What::copy, s.hand, "1", "Archive", Type::ok, "5");
  s.move(What::copy, s.hand, "2", "Archive", Type::info);
  s.move(What::copy, s.hand, "3", "Archive", Type::fail);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice, "Archive").adds, 1);
  EXPECT_EQ(cell_of(s, s.mail[1], s.alice, "Archive").maybe_adds, 1);
  EXPECT_EQ(s.ledger.find(s.mail[2], s.alice, "Archive"), nullptr);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice).removes, 0);
}

TEST(Ledger, CopyOfAnUnreadMessageCountsOnceItsContentIsKnown) {
  Story s;
  const std::uint32_t m = s.message();
  s.deliver(s.lmtp(), m, s.alice);
  const std::uint32_t hand = s.imap(s.phone);
  s.select(hand, "INBOX", 1);
  s.row(hand, 1, 9);
  s.move(What::move, hand, "9", "Archive", Type::ok, "4");
  EXPECT_EQ(s.ledger.find(m, s.alice, "Archive"), nullptr);
  s.list_imap(s.alice, 1, {{m, 4}}, "Archive");
  EXPECT_EQ(cell_of(s, m, s.alice, "Archive").adds, 1);
  EXPECT_EQ(cell_of(s, m, s.alice).removes, 1);
}

TEST(Ledger, ACopyKeepsTheMark) {
  Mailbox s(1);
  s.store(s.hand, "1");
  s.move(What::copy, s.hand, "1", "Archive", Type::ok, "5");
  s.select(s.hand, "Archive", 1);
  s.expunge(s.hand);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice, "Archive").maybe_removes, 1);
}

TEST(Ledger, RemovingAMailboxExplainsItsMessages) {
  Mailbox s(1);
  s.move(What::copy, s.hand, "1", "Old", Type::ok, "5");
  s.ask(
      What::remove, s.hand, [](Event& e) { e.mailbox = "Old"; }, Type::fail);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice, "Old").maybe_removes, 0);
  s.ask(What::remove, s.hand, [](Event& e) { e.mailbox = "Old"; });
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice, "Old").maybe_removes, 1);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice).least(), 1);
}

TEST(Ledger, RenameTakesCellsAndUidsAlongAndChildrenToo) {
  Mailbox s(2);
  s.move(What::copy, s.hand, "1", "Work", Type::ok, "5", 3);
  s.move(What::copy, s.hand, "2", "Work/Old", Type::ok, "6", 4);
  s.ask(What::rename, s.hand, [](Event& e) {
    e.mailbox = "Work";
    e.other_mailbox = "Job";
  });
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice, "Job").adds, 1);
  EXPECT_EQ(cell_of(s, s.mail[1], s.alice, "Job/Old").adds, 1);
  EXPECT_EQ(s.ledger.find(s.mail[0], s.alice, "Work"), nullptr);
  EXPECT_EQ(s.ledger.message_at(s.alice, "Job", 3, 5), s.mail[0]);
  EXPECT_EQ(s.ledger.message_at(s.alice, "Work", 3, 5), 0U);
}

TEST(Ledger, RenamingInboxMovesItsMessagesOnly) {
  Mailbox s(1);
  s.ask(What::rename, s.hand, [](Event& e) {
    e.mailbox = "INBOX";
    e.other_mailbox = "2026";
  });
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice).least(), 0);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice).most(), 0);
  EXPECT_EQ(cell_of(s, s.mail[0], s.alice, "2026").least(), 1);
}

TEST(Ledger, WhatWentAndIsStillShownIsAskedForAgainAndSoIsWhatAMoveTookNobodyKnowsWhere) {
  Story s;
  const std::uint32_t gone = s.message(), moved = s.message();
  const std::uint32_t out = s.lmtp();
  for (const std::uint32_t m : {gone, moved}) s.deliver(out, m, s.alice);
  const std::uint32_t hand = s.imap(s.phone);
  s.select(hand, "INBOX", 2);
  s.content(hand, gone, 1, 1);
  s.content(hand, moved, 2, 2);
  s.store(hand, "1");
  s.expunge(hand, Type::ok, "1");
  s.move(What::move, hand, "2", "Archive", Type::info);
  s.list_imap(s.alice, 1, {{gone, 1}});
  ASSERT_EQ(s.ledger.missing().size(), 2U);
  s.list_imap(s.alice, 2, {});
  s.list_imap(s.alice, 2, {{moved, 1}}, "Archive", 2);
  EXPECT_TRUE(s.ledger.missing().empty());
}

}  // namespace
}  // namespace mailproof::history
