// What the ledger says became of messages: by listings, by reports, and in the end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "history/ledger/ledger.h"
#include "history/tests/mailbox_story.h"

namespace mailproof::history {
namespace {

using testing::Contains;
using testing::HasSubstr;

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
  s.obs(What::enumerated, session, [](Event& e) { e.facts = CountFacts{2}; });
  EXPECT_TRUE(s.ledger.missing().empty());
  EXPECT_TRUE(cell_of(s, s.mail[0], s.alice).enumerated);
  EXPECT_FALSE(cell_of(s, s.mail[1], s.alice).enumerated);
}

TEST(Ledger, WhatWasRemovedAndNotSeenSinceIsGoneThoughNobodyListed) {
  Mailbox s(2);
  const std::uint32_t pop = s.pop3(s.pc);
  s.uidl_row(pop, 1, "0009");
  s.pop_content(pop, s.mail[0], 1, "0009");
  s.dele(pop, 1);
  EXPECT_EQ(s.ledger.fate(s.mail[0], s.alice), Fate::present);
  s.ask(What::quit, pop);
  EXPECT_EQ(s.ledger.fate(s.mail[0], s.alice), Fate::removed_by_client);
  EXPECT_EQ(s.ledger.fate(s.mail[1], s.alice), Fate::present);
  s.content(s.hand, s.mail[0], 1, 1, "header");
  EXPECT_EQ(s.ledger.fate(s.mail[0], s.alice), Fate::present) << "somebody sees it still";
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

/// "certain told gone" of each line.
std::vector<std::string> words(const Life& life) {
  std::vector<std::string> out;
  for (const LifeLine& line : life.lines) out.push_back(std::string(name(line.sure)) + " " + std::string(line.word));
  return out;
}

TEST(Life, SaysHowSureEachLineIs) {
  Mailbox s(1);
  s.row(s.hand, 1, 1, "\\Seen");
  s.store(s.hand, "1", "+FLAGS", "\\Deleted", Type::info);
  s.expunge(s.hand, Type::info);
  s.list_imap(s.alice, 1, {});
  const Life life = s.ledger.whole_life(s.mail[0]);
  EXPECT_THAT(words(life), testing::ElementsAre("certain accepted", "certain visible", "certain told flags",
                                                "unknown asked", "unknown unknown", "inferred absent"));
  ASSERT_EQ(life.ends.size(), 1U);
  ASSERT_EQ(life.ends[0].places.size(), 1U);
  EXPECT_EQ(life.ends[0].places[0].copies, 0U);
  EXPECT_TRUE(life.ends[0].places[0].listed);
  EXPECT_EQ(s.history.event(life.ends[0].places[0].last_seen).what, What::row);
}

TEST(Life, TellsInFullWhatAFindingLeavesOut) {
  Mailbox s(2);
  const std::uint32_t expected = s.put(Type::expect, What::lose, s.hand, [&](Event& e) {
                                    e.set = "2";
                                    e.text = "phone: {lose: mail.2}";
                                  }).index;
  s.done(expected, Type::fail, [](Event& e) { e.set = "2"; });
  s.content(s.hand, s.mail[0], 1, 1);
  s.content(s.hand, s.mail[0], 1, 1);
  EXPECT_THAT(words(s.ledger.whole_life(s.mail[0])),
              testing::ElementsAre("certain accepted", "certain visible", "certain downloaded", "certain read again"));
  EXPECT_THAT(words(s.ledger.whole_life(s.mail[1])), Contains("inferred missed"));
  EXPECT_EQ(s.ledger.life(s.mail[0]).size(), 4U) << "with a head, and without what was read again";
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
