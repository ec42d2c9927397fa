#include "history/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "history/number_map.h"
#include "history/tests/ledger_story.h"

namespace mailproof::history {
namespace {

using testing::Contains;
using testing::HasSubstr;

const Cell& cell_of(const Story& story, std::uint32_t message, std::uint32_t account, const char* mailbox = "INBOX") {
  static const Cell kNone;
  const Cell* cell = story.ledger.find(message, account, mailbox);
  EXPECT_NE(cell, nullptr) << "no cell for message " << message << " in " << mailbox;
  return cell == nullptr ? kNone : *cell;
}

/// alice's phone, INBOX selected, `count` delivered messages with UIDs from 1.
struct Mailbox : Story {
  explicit Mailbox(int count) : mail(messages(count)) {
    const std::uint32_t out = lmtp();
    for (const std::uint32_t m : mail) deliver(out, m, alice);
    hand = imap(phone);
    select(hand, "INBOX", static_cast<std::uint32_t>(count));
    for (std::uint32_t i = 0; i < mail.size(); ++i) content(hand, mail[i], i + 1, i + 1, "header");
  }
  std::vector<std::uint32_t> mail;
  std::uint32_t hand = 0;
};

TEST(NumberMap, KeepsEveryKeyWhileItGrows) {
  NumberMap map;
  for (std::uint32_t i = 1; i <= 5000; ++i) map.set(std::uint64_t{i} << 32U | (i % 7), i);
  for (std::uint32_t i = 1; i <= 5000; ++i) EXPECT_EQ(map.get(std::uint64_t{i} << 32U | (i % 7)), i);
  EXPECT_EQ(map.get(42), 0U);
  map.set(std::uint64_t{9} << 32U | 2, 0);
  EXPECT_EQ(map.get(std::uint64_t{9} << 32U | 2), 0U);
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

TEST(Ledger, AuditListingsSayWhatIsMissingAndHowOftenItWas) {
  Mailbox s(2);
  s.list_imap(s.alice, 1, {{s.mail[0], 1}});
  ASSERT_EQ(s.ledger.missing().size(), 1U);
  EXPECT_EQ(s.ledger.missing()[0]->message, s.mail[1]);
  EXPECT_EQ(s.ledger.missing()[0]->misses, 1);
  s.list_imap(s.alice, 1, {{s.mail[0], 1}});  // the same round again proves nothing new
  EXPECT_EQ(s.ledger.missing()[0]->misses, 1);
  s.list_imap(s.alice, 2, {{s.mail[0], 1}});
  EXPECT_EQ(s.ledger.missing()[0]->misses, 2);
  EXPECT_EQ(s.ledger.fate(s.mail[1], s.alice), Fate::lost);
  s.list_imap(s.alice, 3, {{s.mail[0], 1}, {s.mail[1], 2}});
  EXPECT_TRUE(s.ledger.missing().empty());
  EXPECT_EQ(s.ledger.fate(s.mail[1], s.alice), Fate::present);
}

TEST(Ledger, AListingWithUnknownContentDoesNotSayWhatIsAbsent) {
  Mailbox s(2);
  const std::uint32_t session = s.audit(Protocol::imap, s.alice, 1);
  s.select(session, "INBOX", 2, 1, What::examine);
  s.row(session, 1, 1);
  s.row(session, 2, 50);  // never looked at: may be mail.2 under a UID nobody expects
  s.obs(What::enumerated, session, [](Event& e) { e.seq = 2; });
  EXPECT_TRUE(s.ledger.missing().empty());
  EXPECT_TRUE(cell_of(s, s.mail[0], s.alice).enumerated);
  EXPECT_FALSE(cell_of(s, s.mail[1], s.alice).enumerated);
}

TEST(Ledger, ADevicesOwnListingDoesNotCount) {
  Mailbox s(1);
  const std::uint32_t other = s.imap(s.laptop);
  s.select(other, "INBOX", 0);
  s.obs(What::enumerated, other, [](Event& e) { e.mailbox = "INBOX"; });
  EXPECT_TRUE(s.ledger.missing().empty());
  EXPECT_FALSE(cell_of(s, s.mail[0], s.alice).enumerated);
}

TEST(Ledger, Pop3SpeaksForInboxWhereThereIsNoImap) {
  Story s;
  const auto mail = s.messages(2);
  const std::uint32_t out = s.lmtp();
  for (const std::uint32_t m : mail) s.deliver(out, m, s.alice);
  s.list_pop(s.alice, 1, {{mail[0], 1}});
  EXPECT_EQ(cell_of(s, mail[0], s.alice).present, 1);
  EXPECT_TRUE(cell_of(s, mail[0], s.alice).by_pop);
  ASSERT_EQ(s.ledger.missing().size(), 1U);
  s.list_imap(s.alice, 1, {{mail[0], 1}, {mail[1], 2}});
  ASSERT_EQ(s.ledger.missing().size(), 1U);  // IMAP speaks now; that POP3 says otherwise is to be asked again
  EXPECT_FALSE(s.ledger.missing()[0]->by_pop);
  EXPECT_EQ(cell_of(s, mail[1], s.alice).present, 1);
  EXPECT_EQ(cell_of(s, mail[1], s.alice).present_pop, 0);
}

TEST(Ledger, AskingMoreOfAMailboxOutdatesItsListing) {
  Mailbox s(1);
  s.list_imap(s.alice, 1, {});
  s.deliver(s.lmtp(), s.mail[0], s.alice);
  EXPECT_TRUE(s.ledger.missing().empty());
}

TEST(Ledger, ARemovalExplainsNotWhatCameAfterIt) {
  Mailbox s(1);
  s.store(s.hand, "1");
  s.expunge(s.hand);
  s.list_imap(s.alice, 1, {});
  EXPECT_EQ(s.ledger.fate(s.mail[0], s.alice), Fate::removed_by_client);
  s.deliver(s.lmtp(), s.mail[0], s.alice);
  s.list_imap(s.alice, 1, {});
  EXPECT_EQ(s.ledger.fate(s.mail[0], s.alice), Fate::removed_by_client);  // one look alone calls nothing lost
  s.list_imap(s.alice, 2, {});
  EXPECT_EQ(s.ledger.fate(s.mail[0], s.alice), Fate::lost);
}

TEST(Ledger, ReportsAreCountedOnceAndSettleTheCell) {
  Story s;
  const std::uint32_t carol = s.account("carol");
  const std::uint32_t m = s.message();
  s.deliver(s.smtp(), m, s.alice);
  const std::uint32_t reader = s.audit(Protocol::imap, carol, 1);
  s.report(reader, m, s.alice, 3);
  s.report(s.audit(Protocol::imap, carol, 2), m, s.alice, 3);
  ASSERT_EQ(s.ledger.reports().size(), 1U);
  EXPECT_EQ(s.ledger.reports()[0].action, "failed");
  EXPECT_EQ(s.ledger.reports()[0].diagnostic, "552 mailbox full");
  EXPECT_EQ(s.ledger.reports()[0].mailbox_owner, carol);
  EXPECT_EQ(cell_of(s, m, s.alice).least(), 0);
  EXPECT_EQ(s.ledger.fate(m, s.alice), Fate::bounced);
  s.report(reader, m, s.alice, 4);
  EXPECT_EQ(s.ledger.reports().size(), 2U);
}

TEST(Ledger, ADelayedReportOwesTheMessageStill) {
  Story s;
  const std::uint32_t m = s.message();
  s.deliver(s.smtp(), m, s.alice);
  s.report(s.audit(Protocol::imap, s.bob, 1), m, s.alice, 3, "4.2.2", "delayed");
  EXPECT_EQ(cell_of(s, m, s.alice).least(), 1);
}

TEST(Fates, OfRefusedDeferredUnknownQueuedMovedRemovedAndExpired) {
  Mailbox s(3);
  const std::uint32_t out = s.lmtp();
  const std::uint32_t refused = s.message(), deferred = s.message(), unknown = s.message(), queued = s.message();
  s.deliver(out, refused, s.alice, Type::fail, 552, "5.2.2");
  s.deliver(out, deferred, s.alice, Type::fail, 452, "4.2.2");
  s.deliver(out, unknown, s.alice, Type::info, 0, "");
  s.deliver(s.smtp(), queued, s.alice);
  EXPECT_EQ(s.ledger.fate(refused, s.alice), Fate::refused);
  EXPECT_EQ(s.ledger.fate(deferred, s.alice), Fate::deferred);
  EXPECT_EQ(s.ledger.fate(unknown, s.alice), Fate::unknown);
  s.move(What::move, s.hand, "1", "Archive", Type::ok, "5");
  s.store(s.hand, "2");
  s.expunge(s.hand);
  const std::uint32_t old = s.device("outlook", DeviceKind::pop3, s.alice, "delete after 14d");
  const std::uint32_t pop = s.pop3(old);
  s.pop_content(pop, s.mail[2], 1, "a");
  s.dele(pop, 1);
  s.ask(What::quit, pop);
  s.list_imap(s.alice, 1, {});
  s.list_imap(s.alice, 1, {{s.mail[0], 5}}, "Archive");
  EXPECT_EQ(s.ledger.fate(s.mail[0], s.alice), Fate::moved);
  EXPECT_EQ(s.ledger.fate(s.mail[1], s.alice), Fate::removed_by_client);
  EXPECT_EQ(s.ledger.fate(s.mail[2], s.alice), Fate::expired_by_client_policy);
  EXPECT_EQ(s.ledger.fate(queued, s.alice), Fate::queued);
}

TEST(Life, OfAMessageThatAPop3ClientTookFromThePhone) {
  Mailbox s(1);
  s.ask(What::idle, s.hand);
  const std::uint32_t pop = s.pop3(s.pc);
  s.uidl_row(pop, 1, "0009");
  s.pop_content(pop, s.mail[0], 1, "0009");
  s.dele(pop, 1);
  s.ask(What::quit, pop);
  s.end(pop);
  s.expunged(s.hand, 1, 1);
  s.list_imap(s.alice, 1, {});
  const auto life = s.ledger.life(s.mail[0]);
  ASSERT_EQ(life.size(), 9U) << testing::PrintToString(life);
  EXPECT_THAT(life[0], HasSubstr("removed-by-client; pc asked for its removal over POP3"));
  EXPECT_THAT(life[1], HasSubstr("local copy on pc"));
  EXPECT_THAT(life[2], HasSubstr("accepted   mta       LMTP 250 2.0.0 for alice"));
  EXPECT_THAT(life[3], HasSubstr("visible    phone     INBOX UID 1"));
  EXPECT_THAT(life[4], HasSubstr("downloaded pc        number 1, UIDL 0009, 1000 octets, content as sent"));
  EXPECT_THAT(life[5], HasSubstr("asked      pc        DELE 1"));
  EXPECT_THAT(life[6], HasSubstr("confirmed  pc        QUIT +OK"));
  EXPECT_THAT(life[7], HasSubstr("told gone  phone     EXPUNGE 1 (UID 1)"));
  EXPECT_THAT(life[8], HasSubstr("absent     audit     alice's INBOX"));
}

TEST(Life, OfAMessageThatIsGoneThoughNobodyConfirmed) {
  Mailbox s(1);
  const std::uint32_t pop = s.pop3(s.pc);
  s.pop_content(pop, s.mail[0], 1, "a");
  s.dele(pop, 1);
  s.end(pop, "broken", "reset");
  s.list_imap(s.alice, 1, {});
  s.list_imap(s.alice, 2, {});
  const auto life = s.ledger.life(s.mail[0]);
  EXPECT_THAT(life[0], HasSubstr("mail.1 for alice: lost"));
  EXPECT_THAT(life, Contains(HasSubstr("not asked  pc        the connection ended without QUIT")));
}

TEST(Life, OfAMovedAndExpungedMessage) {
  Mailbox s(2);
  s.move(What::move, s.hand, "1", "Trash", Type::ok, "4");
  s.store(s.hand, "2");
  s.expunge(s.hand);
  EXPECT_THAT(s.ledger.life(s.mail[0]), Contains(HasSubstr("moved      phone     INBOX UID 1 to Trash UID 4")));
  EXPECT_THAT(s.ledger.life(s.mail[1]), Contains(HasSubstr("asked      phone     STORE +FLAGS (\\Deleted)")));
  EXPECT_THAT(s.ledger.life(s.mail[1]), Contains(HasSubstr("confirmed  phone     EXPUNGE of INBOX UID 2")));
  EXPECT_TRUE(s.ledger.life(0).empty());
  EXPECT_TRUE(s.ledger.life(99).empty());
}

}  // namespace
}  // namespace mailproof::history
